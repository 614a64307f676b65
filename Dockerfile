# Signalbox on the official Node image. The sandbox works inside with the profile beside compose.yml; docs/operating.md says why.
FROM node:24-bookworm-slim

# What checks and deployments use: the sandbox and its network, git, ssh. tini reaps what they leave.
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap slirp4netns git git-lfs openssh-client ca-certificates tini \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node: the optional packages are another Node for machines that have none.
RUN npm ci --omit=dev --omit=optional && npm cache clean --force
COPY bin bin
COPY src src
COPY app.yml ./

RUN install --directory --owner=node --group=node --mode=0700 /data
ENV NODE_ENV=production DATA_DIR=/data HOST=0.0.0.0 PORT=3000
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Never through npm: a SIGTERM to npm leaves the server behind.
ENTRYPOINT ["tini", "--", "node"]
CMD ["bin/signalbox", "start"]
