"""Every message a user can meet, each under a stable code: one file a room of the package."""

from .annotate import *  # noqa: F401,F403
from .coded import Coded, MTLError
from .corpora import *  # noqa: F401,F403
from .experiments import *  # noqa: F401,F403
from .models import *  # noqa: F401,F403
from .syntax import *  # noqa: F401,F403
from .training import *  # noqa: F401,F403
from .workflow import *  # noqa: F401,F403
