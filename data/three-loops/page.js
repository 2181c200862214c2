// Serves the page that is hovered over, on a free port of loopback, and says where.
'use strict';
const html = '<!doctype html><meta charset="utf-8"><title>three loops</title><input id="kw">';
const server = require('http').createServer(function (request, response) {
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(request.url === '/' ? html : '');
});
server.listen(0, '127.0.0.1', function () {
  console.log('http://127.0.0.1:' + server.address().port + '/');
});
