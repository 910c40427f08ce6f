"""How is a played scenario shown, to people and to scripts?"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from calward.app.scenarios.results import Played, Result, ScenarioReport
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError
from calward.domain.reasons import SENTENCES, Reason
from calward.entrypoints.cli.scenario.words import what

__all__ = ["document", "print_report", "print_sum"]

_HOURS: Final = 24


def document(outcomes: Iterable[tuple[str, ScenarioReport | LicensingError]]) -> dict[str, Any]:
    """Give all files as JSON values; a file that is wrong has ``error`` instead of ``steps``."""
    files = [_file(name, outcome) for name, outcome in outcomes]
    return {"ok": all(file["ok"] for file in files), "files": files}


def _file(name: str, outcome: ScenarioReport | LicensingError) -> dict[str, Any]:
    if isinstance(outcome, LicensingError):
        return {"file": name, "ok": False, "error": outcome.detail}
    steps = [_step(played) for played in outcome.played]
    return {"file": name, "title": outcome.title, "ok": outcome.holds, "steps": steps}


def _step(played: Played) -> dict[str, Any]:
    step, result = played.step, played.result
    shown: dict[str, Any] = {"number": step.number, "line": step.line, "at": rfc3339(step.at), "do": step.do}
    shown["what"] = what(step.act)
    shown["result"] = dict(result.facts)
    if result.detail:
        shown["detail"] = result.detail
    if result.trace:
        shown["trace"] = [{"rule": x.rule, "verdict": x.verdict, "detail": x.detail} for x in result.trace]
    shown["ok"] = not played.mismatches
    shown["mismatches"] = [{"key": x.key, "expected": x.expected, "got": x.got} for x in played.mismatches]
    return shown


def print_report(file: str, report: ScenarioReport, console: Console) -> None:
    """Print one file's steps as a table, and below it what came of all."""
    marks = ("ok", "NO") if console.options.ascii_only else ("✓", "✗")
    console.print(Text.assemble((report.title, "bold"), f"  ({file})"), soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(Text("#"), justify="right", no_wrap=True)
    for name in ("when", "what", "came to"):
        table.add_column(Text(name), no_wrap=name == "when", overflow="fold")
    table.add_column(Text(""), no_wrap=True)
    for played in report.played:
        table.add_row(*_row(played, marks))
    console.print(table)
    console.print(Text(_summary(report, marks)))


def print_sum(outcomes: Sequence[ScenarioReport | LicensingError], console: Console) -> None:
    """Print one line about all files; of one file its own line says it."""
    if len(outcomes) > 1:
        wrong = sum(isinstance(one, LicensingError) or not one.holds for one in outcomes)
        steps = sum(len(one.played) for one in outcomes if isinstance(one, ScenarioReport))
        came = f"in {wrong} something is wrong, see above" if wrong else "all expectations hold"
        console.print(Text(f"\n{len(outcomes)} files, {steps} steps: {came}"))


def _row(played: Played, marks: tuple[str, str]) -> Sequence[Text]:
    step = played.step
    when = rfc3339(step.at).replace("T", " ").removesuffix(":00Z").removesuffix("Z")
    lines = [_came_to(played.result), *_why(played.result)]
    text = Text("\n".join(lines))
    for mismatch in played.mismatches:
        text.append(f"\n{mismatch}", style="bold red")
    mark = "" if not step.expect else marks[bool(played.mismatches)]
    return Text(str(step.number)), Text(when), Text(what(step.act)), text, Text(mark)


def _summary(report: ScenarioReport, marks: tuple[str, str]) -> str:
    expecting = [played for played in report.played if played.step.expect]
    wrong = [str(played.step.number) for played in expecting if played.mismatches]
    if wrong:
        return f"{marks[1]} {len(wrong)} of {len(expecting)} expectations do not hold: step {', '.join(wrong)}"
    return f"{marks[0]} all {len(expecting)} expectations hold"


def _came_to(result: Result) -> str:
    """The outcome, and the license or the counts behind it, on one line."""
    facts = result.facts
    words = [str(facts["outcome"])]
    if facts.get("status"):
        words.append(f"{facts['version']}/{facts['type']} {facts['status']} ({facts['change']})")
        words.append(f"{_days(facts['expires_in_days'])} left")
        words.append(f"pack {facts['pack']} of {facts['server']}" if facts["pack"] else f"from {facts['server']}")
    if facts["outcome"] == "grace":
        words.append(f"{_days(facts['days_left_in_grace'])} of grace left")
    if facts.get("pending") or facts.get("moving"):
        words.append(
            f"on its way{_where(facts.get('moving'))} until {facts.get('effective_at') or 'its source has released it'}"
        )
    counts = ("licenses", "packs", "total", "issued", "available", "over_used", "temporary", "remaining", "next_at")
    words += [f"{key.replace('_', '-')} {facts[key]}" for key in counts if facts.get(key) is not None]
    return ", ".join(words)


def _where(target: object) -> str:
    return f" to {target}" if target else ""


def _days(value: object) -> str:
    if not isinstance(value, int | float):
        return ""
    days, hours = divmod(round(value * _HOURS), _HOURS)
    parts = [f"{days} days"] if days or not hours else []
    return " ".join([*parts, *([f"{hours} h"] if hours else [])])


def _why(result: Result) -> Sequence[str]:
    """The reasons in words; a sentence about this very refusal where there is one."""
    reasons = result.facts.get("reason")
    if not isinstance(reasons, list | tuple):
        return ()
    if result.detail:
        return [f"{', '.join(reasons)}: {result.detail}"]
    return [f"{reason}: {_sentence(str(reason))}" for reason in reasons]


def _sentence(reason: str) -> str:
    return SENTENCES[Reason(reason)] if reason in set(Reason) else "a reason of a newer release"
