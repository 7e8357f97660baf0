# buddy as a service: docker build -t buddy . && docker run --rm --stop-timeout 30 -p 127.0.0.1:8080:8080 -e BUDDY_API_KEYS=… buddy
# Another port is chosen outside (-p 127.0.0.1:9000:8080) and not with --port: the health check asks 8080.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/buddy
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY buddy ./buddy
RUN /opt/buddy/bin/pip install --no-cache-dir --constraint constraints.txt ".[serve]" \
    && /opt/buddy/bin/pip uninstall --yes pip

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/buddy buddy
COPY --from=build /opt/buddy /opt/buddy
ENV PATH=/opt/buddy/bin:$PATH PYTHONUNBUFFERED=1 BUDDY_DATA_HOME=/var/lib/buddy
USER buddy
VOLUME /var/lib/buddy
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["buddy", "serve", "--host", "0.0.0.0"]
