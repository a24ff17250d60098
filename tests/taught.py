"""The commands that the documents teach."""

import re

from lab.aws.cdk import PROJECT


def commands(text: str) -> list[str]:
    """Return the commands of some lines, whole and without comments."""
    joined = re.sub(r" *\\\n +", " ", text)
    return [re.sub(r" +# .*", "", line).strip() for line in joined.splitlines() if line.strip()]


def taught(*documents: str) -> list[str]:
    """Return the commands of a document's blocks for a shell, and of others'."""
    texts = [(PROJECT / name).read_text() for name in documents]
    blocks = [block for text in texts for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    return [command for block in blocks for command in commands(block)]
