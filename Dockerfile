# The controller and the driver: one bundled file on a Node without a shell.
FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts && node node_modules/esbuild/install.js
COPY . .
RUN node -e "import('./scripts/controller-bundle.ts').then(({ bundleController }) => bundleController('/app'))"

FROM gcr.io/distroless/nodejs24-debian12:nonroot
LABEL org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /app /app
USER 65532:65532
# A pod's `args` follow it: `controller` or `driver`.
ENTRYPOINT ["/nodejs/bin/node", "/app/controller.mjs"]
CMD ["controller"]
