'use strict'
// The bridge that an article of 2015 described, and that many copied: each read of the socket is
// taken as one frame with its NUL, a NUL alone is a ping, publishes are at QoS 0, nothing is kept.
// TCP joins and cuts frames as it likes, and every read that is not one frame is lost here.
//
// node article.js PORT BROKER_PORT FOLDER_OF_CERTIFICATES

const net = require('node:net')
const { forward, listen } = require('./common')

const server = net.createServer((socket) => {
  socket.on('data', (data) => {
    if (data.length === 1 && data[0] === 0) return
    let frame
    try {
      frame = JSON.parse(data.subarray(0, -1).toString())
    } catch (error) {
      console.error(error.message)
      return
    }
    forward(frame, 0)
  })
})

listen(server)
