"""How many lives the property tests try: ``HYPOTHESIS_PROFILE`` names another profile than ``suite``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

QUICK = 60
THOROUGH = 5000

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

# Derandomized, so that a run of the suite fails for what was changed and for nothing else.
settings.register_profile("suite", max_examples=QUICK, deadline=None, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("thorough", max_examples=THOROUGH, deadline=None, suppress_health_check=_SLOW)

PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
