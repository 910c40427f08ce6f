"""Does the license server live, is it ready, and how much has it done? Open to everyone, so no names are told."""

from collections import Counter as Tally
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from calward.domain.errors import LicensingError
from calward.insight.diagnoser import Diagnosis, Result
from calward.insight.findings import Severity

__all__ = ["Metrics", "health_routes"]


class Metrics:
    """The figures under /metrics; names begin with ``calward_``, and never is a user, device or pack a label."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._decisions = Counter(
            "calward_decisions", "Answers to requests for licenses", ("outcome", "status"), registry=self.registry
        )
        self._children: dict[tuple[str, str], Counter] = {}
        self.tree_size = Gauge("calward_audit_tree_size", "Events in the audit trail's tree", registry=self.registry)
        self.quarantined = Gauge(
            "calward_ledger_quarantined", "1 while the ledger may be an old one", registry=self.registry
        )
        self.free = Gauge("calward_cals_free", "CALs that are free", ("version", "type"), registry=self.registry)
        self.installed = Gauge("calward_cals_installed", "CALs installed", ("version", "type"), registry=self.registry)

        self._findings: tuple[Gauge, Gauge, Gauge] | None = None

    def tell(self, diagnosis: Diagnosis, now: int) -> None:
        """Tell how many findings a diagnosis has that was made at a second since 1970; before the first one nothing is told."""
        if self._findings is None:
            self._findings = (
                Gauge("calward_findings", "Findings of the diagnosis", ("severity",), registry=self.registry),
                Gauge("calward_check_findings", "Findings of one check", ("check",), registry=self.registry),
                Gauge("calward_findings_timestamp_seconds", "When it was last diagnosed", registry=self.registry),
            )
        by_severity, by_check, at = self._findings
        severities = Tally(one.severity for one in diagnosis.findings)
        for severity in Severity:
            by_severity.labels(severity.value).set(severities[severity])
        by_check.clear()  # A check that cannot be made now says nothing, rather than that all is well.
        for one in diagnosis.checked:
            if one.result is not Result.NOT_CHECKED:
                by_check.labels(one.check.id).set(len(one.findings))
        at.set(now)

    def count(self, outcome: str, status: str, times: int) -> None:
        """Count answers of one kind."""
        child = self._children.get((outcome, status))
        if child is None:
            child = self._children[outcome, status] = self._decisions.labels(outcome, status)
        child.inc(times)


def health_routes(ready: Callable[[], str | None], metrics: Metrics, refresh: Callable[[Metrics], None]) -> list[Route]:
    """The routes /livez, /readyz and /metrics.

    ``ready`` raises LicensingError while the server cannot issue, and gives the reason while it issues temporary
    licenses only; ``refresh`` brings the gauges up to date.
    """

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(_request: Request) -> Response:
        try:
            limited = ready()
        except LicensingError as error:
            return JSONResponse({"ready": False, "problem": error.problem.value}, 503)
        return JSONResponse({"ready": True} | ({"temporary_only": limited} if limited else {}))

    def figures(_request: Request) -> Response:
        refresh(metrics)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", figures)]
