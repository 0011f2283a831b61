"""The page of the wall: three files that ask for nothing from elsewhere."""

from pathlib import Path

from fastapi import APIRouter, Request, Response

router = APIRouter()

_FILES = Path(__file__).parent / "static"
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _serve(path: str, file: str, kind: str) -> None:
    content = (_FILES / file).read_bytes()

    async def served(_: Request) -> Response:
        return Response(content, headers=_HEADERS, media_type=kind)

    router.add_api_route(path, served, methods=["GET"])
    # The server leaves the content out; its length is told.
    router.add_api_route(path, served, methods=["HEAD"], include_in_schema=False)


_serve("/", "wall.html", "text/html")
_serve("/wall.css", "wall.css", "text/css")
_serve("/wall.js", "wall.js", "text/javascript")
