"""One payment with which its rules begin."""

from domain.payment import messages as m
from domain.payment.decider import ask, decider
from tests.shop import pounds
from tests.spec import Spec

given = Spec(decider, ask, m.Answered).given

AUTHORIZE = m.AuthorizePayment("o-1", 1, pounds(1_000), "tok_approve")
CAPTURE = m.CapturePayment("o-1", "o-1.1", pounds(600))
VOID = m.VoidAuthorization("o-1")
REFUND = m.RefundPayment("o-1", "return-1", pounds(600))
YES = m.ProviderAnswer("approved", "ref-1")
NO = m.ProviderAnswer("declined", code="card_declined")
DOWN = m.ProviderAnswer("unreachable")
UNSURE = m.ProviderAnswer("unknown")
ACTION = m.ProviderAnswer("action_required", "auth-1", url="https://3ds.test")
AUTHORIZED = m.PaymentAuthorized("o-1", 1, pounds(1_000), "ref-1")
CAPTURED = m.PaymentCaptured("o-1", "o-1.1", pounds(600), "ref-1")
WAITS = m.AuthenticationRequired("o-1", 1, pounds(1_000), "auth-1", "https://3ds.test")
