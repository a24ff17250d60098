"""What all tests need before anything is imported."""

import os
import sys
from pathlib import Path

# The CDK runs on the Node.js that is installed beside this Python.
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
