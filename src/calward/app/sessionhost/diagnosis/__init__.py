"""What is wrong with a session host? Checks over what was gathered of it; nothing here looks at anything itself.

Imported by the command line, ``bootstrap`` and tests; ``calward.adapters.sessionhost.facts`` gathers.
"""

from calward.app.sessionhost.diagnosis.diagnose import CHECKS, Checked, Diagnosis, Result, diagnose
from calward.app.sessionhost.diagnosis.facts import (
    AgentFacts,
    CertificateFacts,
    HostFacts,
    PamLine,
    Reached,
    RelayFacts,
    ServerFacts,
    StateFacts,
    TokenFacts,
    TokenState,
    Told,
)
from calward.app.sessionhost.diagnosis.findings import Check, Finding, Severity

__all__ = [
    "CHECKS",
    "AgentFacts",
    "CertificateFacts",
    "Check",
    "Checked",
    "Diagnosis",
    "Finding",
    "HostFacts",
    "PamLine",
    "Reached",
    "RelayFacts",
    "Result",
    "ServerFacts",
    "Severity",
    "StateFacts",
    "TokenFacts",
    "TokenState",
    "Told",
    "diagnose",
]
