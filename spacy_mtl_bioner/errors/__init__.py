"""Every coded message that a user can meet, a file a topic: the commands of the workflow, corpora, models and the
component, syntax, training, experiments, annotation. A code stays what it is, wherever its message is raised."""

from .annotate import *  # noqa: F401,F403
from .coded import Coded, MTLError
from .corpora import *  # noqa: F401,F403
from .experiments import *  # noqa: F401,F403
from .models import *  # noqa: F401,F403
from .syntax import *  # noqa: F401,F403
from .training import *  # noqa: F401,F403
from .workflow import *  # noqa: F401,F403
