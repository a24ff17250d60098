// Node-RED's settings: no editor, nothing but the flow.
module.exports = {
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  logging: { console: { level: "info", metrics: false, audit: false } },
};
