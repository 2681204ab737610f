"""How many lives the property tests try: ``HYPOTHESIS_PROFILE`` may name another profile than ``suite``."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

# Derandomized, so that a run of the suite fails for what was changed and for nothing else.
settings.register_profile("suite", max_examples=60, deadline=None, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("thorough", max_examples=5000, deadline=None, suppress_health_check=_SLOW)
