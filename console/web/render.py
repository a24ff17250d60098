"""Makes pages of templates: whatever a device, a codec or AWS says is escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

HERE = Path(__file__).parent
_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, **values: object) -> HTMLResponse:
    """Return a page made of a template."""
    return HTMLResponse(_environment.get_template(name).render(values))
