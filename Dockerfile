# One image for every process of docker-compose.yml; each service names its own command.
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.lock ./
RUN pip install -r requirements.lock

COPY manage.py ./
COPY tradingv3 tradingv3
COPY apps apps
COPY templates templates
COPY profiles profiles

# /app/var is where the simulator keeps its books; a new volume takes over its owner.
RUN useradd --system --uid 10001 --no-create-home tradingv3 && install -d -o tradingv3 -g tradingv3 var
USER tradingv3
EXPOSE 8000
CMD ["uvicorn", "tradingv3.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--timeout-graceful-shutdown", "3"]
