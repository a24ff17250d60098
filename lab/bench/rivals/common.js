'use strict'
// What both Node bridges share: the arguments, the connection to the broker, the message.

const fs = require('node:fs')
const path = require('node:path')
const mqtt = require('mqtt')

const [port, brokerPort, folder] = process.argv.slice(2)
const read = (name) => fs.readFileSync(path.join(folder, name))

const client = mqtt.connect({
  protocol: 'mqtts',
  host: 'localhost',
  port: Number(brokerPort),
  ca: read('ca.pem'),
  cert: read('client.pem'),
  key: read('client.key'),
  rejectUnauthorized: true
})
client.on('error', (error) => console.error(error.message))

// Publishes the frame, a parsed object, if it is an uplink.
function forward (frame, qos) {
  const { app } = frame
  if (!app || app.dir !== 'up') return
  const { port: fport, payload } = app.userdata
  const message = { [`port${fport}_bytes`]: [...Buffer.from(payload, 'base64')] }
  client.publish(`lora/${app.appeui}/${app.moteeui}`, JSON.stringify(message), { qos })
}

// Listens for network servers once the broker is connected, and says so.
function listen (server) {
  client.once('connect', () => {
    server.listen(Number(port), '127.0.0.1', () => console.log('ready'))
  })
}

module.exports = { forward, listen }
