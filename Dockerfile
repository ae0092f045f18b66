# Tokenrail's programs in one image: the workers, the command-line tool, and the web page that the registry API serves.
#
#   docker build -t tokenrail .
#   docker run --rm tokenrail tokenrail --help

FROM debian:12-slim AS build
WORKDIR /src
# The packages first, from the same list that ./dev uses: they change less often than the code.
COPY dev ./
COPY scripts/lib.sh scripts/packages.sh scripts/
RUN ./dev packages build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY common common
COPY workers workers
COPY cli cli
COPY migrations migrations
COPY schemas schemas
RUN cmake --preset release -DTOKENRAIL_TESTS=OFF && ninja -C build/release \
    && install -D -t /out build/release/bin/tokenrail build/release/bin/tokenrail-*

# The web page: Debian's Node.js, the packages of the lock file, and types from the document of the API.
FROM debian:12-slim AS web
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates nodejs npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-progress
COPY docs/reference/openapi.json ../docs/reference/
COPY web ./
RUN npm run --silent build

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl librdkafka1 libcurl4 libc-ares2 libssl3 libfmt9 \
       libspdlog1.10 libsimdjson14 libtomlplusplus3 libyaml-cpp0.7 libsoci-core4.0 libsoci-postgresql4.0 libpq5 libcjose0 libjansson4 \
       libre2-9 libjemalloc2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tokenrail
COPY --from=build /out/ /usr/local/bin/
COPY --from=web /src/build/web/ /usr/share/tokenrail/web/
COPY LICENSE /usr/share/doc/tokenrail/LICENSE
USER 10001
# Health and metrics, and the registry API. Inside a container the loopback address would hide them.
ENV TOKENRAIL_HTTP_LISTEN=0.0.0.0:9464
# tokenrail-registry-api serves the web page from here, at /ui/.
ENV TOKENRAIL_API_WEB_DIR=/usr/share/tokenrail/web
EXPOSE 9464 9403
# The workers finish their running answers on SIGTERM, which is what `docker stop` sends; give them time
# (docker stop --time 60): router.drain_timeout, router.drain_grace, and the end of the Kafka clients.
STOPSIGNAL SIGTERM
CMD ["tokenrail", "--help"]
