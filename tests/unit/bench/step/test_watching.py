"""What a cluster's API server tells of its pods, by a server that answers as it does."""

import asyncio
import json
from typing import Any

import httpx

from bench.step.watching import Cluster

PAGE = 'quire_lag_messages{agent="order"} 4.0\n'


def pod(name: str, kind: str, *, ready: bool = True, port: str = "metrics") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": kind}},
        "spec": {
            "containers": [
                {"ports": [{"name": port, "containerPort": 9464}]},
                {"name": "queue-proxy", "ports": [{"name": "http-autometric", "containerPort": 1}]},
            ]
        },
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


PODS = [
    pod("worker-order-a", "worker-order"),
    pod("worker-order-b", "worker-order", port="user-port"),
    pod("worker-order-c", "worker-order", ready=False),
    pod("orders-api-x", "orders-api"),
    pod("migrate-z", "migrate", port="other"),
]
ANSWERS = {
    "/api/v1/namespaces/shop/pods?labelSelector=app.kubernetes.io%2Fpart-of%3Dquire": json.dumps(
        {"items": PODS}
    ),
    "/api/v1/namespaces/shop/pods/worker-order-a:9464/proxy/metrics": PAGE,
    "/api/v1/namespaces/shop/pods/worker-order-b:9464/proxy/metrics": PAGE,
}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
    body = ANSWERS.get(asked, "").encode()
    status = b"200 OK" if asked in ANSWERS else b"503 Service Unavailable"
    writer.write(
        b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body))
    )
    writer.write(body)
    await writer.drain()
    writer.close()


async def test_pods_that_are_ready_are_counted_and_asked_for_their_pages():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient() as http:
        seen = await Cluster(f"http://127.0.0.1:{port}", "shop").look(http)
    assert seen.ready == {"worker-order": 2, "orders-api": 1, "migrate": 1}
    assert seen.pages.keys() == {"worker-order-a", "worker-order-b"}  # the API's did not answer
    [lag] = seen.pages["worker-order-a"]
    assert (lag.name, lag.labels, lag.value) == ("quire_lag_messages", {"agent": "order"}, 4.0)
