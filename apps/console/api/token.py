"""A token for scripts, against name and password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from apps.console.api.error import ErrorAnswer
from apps.console.api.request import Strict, body_of

TRIES = "10/min"


class ByAddress(SimpleRateThrottle):
    """Guesses from one address; whatever the request's headers claim it is."""

    rate = TRIES
    scope = "token_address"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"{self.scope}:{self.get_ident(request)}"


class TokenBody(Strict):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class TokenAnswer(serializers.Serializer[Any]):
    token = serializers.CharField()


class Login(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ByAddress,)

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"  # so that a wrong password is 401 and not 403

    @extend_schema(
        summary="A token for `Authorization: Token …`",
        request=TokenBody,
        responses={200: TokenAnswer, 401: ErrorAnswer, 429: ErrorAnswer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        login = body_of(request, TokenBody)
        user = authenticate(request, **login)
        if user is None:
            raise AuthenticationFailed("name or password is wrong, or the account is not active")
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})
