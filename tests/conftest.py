"""Which settings do all tests share?"""

import os

from hypothesis import HealthCheck, settings

from tests.support.postgresql import postgresql_database, postgresql_server  # noqa: F401 - fixtures for all who ask

# A slow machine is no bug: neither a deadline nor the speed of drawing examples decides about right and wrong.
_EVERYWHERE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("commit", max_examples=100, **_EVERYWHERE)
settings.register_profile("nightly", max_examples=5_000, **_EVERYWHERE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "commit"))
