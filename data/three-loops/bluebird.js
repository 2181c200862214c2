// A loop of bluebird's promises: each pass begins when the one before it is over, outside of selenium's control flow.
'use strict';
const Promise = require('bluebird');
const session = require('./session');

function pass() {
  return Promise.resolve(session.hover()).delay(session.interval).then(again);
}

// A new turn of the event loop: the pass before has nothing left that could hold on to this one.
function again() {
  setImmediate(function () {
    pass().catch(session.fail);
  });
}

Promise.resolve(session.open()).then(again).catch(session.fail);
