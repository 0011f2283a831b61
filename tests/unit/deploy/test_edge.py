"""What the public reaches, and what stands before each way in."""

from tests.unit.deploy.build import VARIANT, of_kind


def test_every_way_through_kong_asks_for_a_key_but_the_one_for_signed_notices():
    ways = {
        path["path"]: ingress["metadata"]["annotations"]["konghq.com/plugins"].split(",")
        for ingress in of_kind("prod", "Ingress")
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    assert ways.pop("/webhooks/payments") == ["webhooks-rate"]
    assert ways.keys() == {"/orders", "/stock", "/live"}
    assert all(plugins == ["orders-key", "orders-rate"] for plugins in ways.values())
    known = {plugin["metadata"]["name"] for plugin in of_kind("prod", "KongPlugin")}
    assert known == {"orders-key", "orders-rate", "webhooks-rate"}


def test_the_gateway_lets_the_same_through():
    [route] = of_kind(VARIANT, "HTTPRoute")
    [rule] = route["spec"]["rules"]
    paths = {match["path"]["value"]: match["path"]["type"] for match in rule["matches"]}
    assert paths.pop("/webhooks/payments") == "Exact"
    assert paths == dict.fromkeys(("/orders", "/stock", "/live"), "PathPrefix")
