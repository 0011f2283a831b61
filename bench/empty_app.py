"""The least that FastAPI can do, served as our API is: `python -m bench.empty_app PORT`."""

import sys

import uvicorn
from fastapi import FastAPI, Response

from stack.layout import LOOPBACK

app = FastAPI()


@app.get("/")
async def nothing() -> Response:
    """Answer with an empty object, without a model to check it by."""
    return Response(b"{}", media_type="application/json")


def main() -> None:
    uvicorn.run(
        app,
        host=LOOPBACK,
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
    )


if __name__ == "__main__":
    main()
