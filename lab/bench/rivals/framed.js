'use strict'
// The article's bridge with its two faults mended: frames are cut at their NULs, wherever TCP cut
// them, and publishes are at QoS 1. It still keeps in memory what is not published.
//
// node framed.js PORT BROKER_PORT FOLDER_OF_CERTIFICATES

const net = require('node:net')
const { forward, listen } = require('./common')

const server = net.createServer((socket) => {
  let rest = Buffer.alloc(0)
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data])
    let start = 0
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0, start)) {
      if (end > start) take(rest.subarray(start, end))
      start = end + 1
    }
    rest = rest.subarray(start)
  })
})

function take (bytes) {
  let frame
  try {
    frame = JSON.parse(bytes.toString())
  } catch (error) {
    console.error(error.message)
    return
  }
  forward(frame, 1)
}

listen(server)
