# One image for everything: server and client. Nothing in it is secret.
FROM node:22-bookworm-slim AS build
WORKDIR /opt/touchmark
COPY package.json package-lock.json ./
COPY tools tools
COPY libs libs
COPY apps apps
COPY migrations migrations
RUN npm ci --omit=dev --no-audit --no-fund && node tools/build.mjs

FROM node:22-bookworm-slim
ENV NODE_ENV=production TOUCHMARK_DATA=/var/lib/touchmark TOUCHMARK_LISTEN=0.0.0.0 TOUCHMARK_METRICS_LISTEN=0.0.0.0
COPY --from=build /opt/touchmark /opt/touchmark
RUN ln -s /opt/touchmark/node_modules/.bin/touchmark /usr/local/bin/touchmark \
 && useradd --system --uid 10001 --home-dir /var/lib/touchmark touchmark \
 && install -d -o touchmark -g touchmark -m 0700 /var/lib/touchmark
USER touchmark
WORKDIR /var/lib/touchmark
VOLUME /var/lib/touchmark
EXPOSE 8360 9360
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8360/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["touchmark", "up", "--port", "8360", "--metrics-port", "9360"]
