// A generator that co drives.
'use strict';
const co = require('co');
const session = require('./session');
const driver = session.driver;

co(function* () {
  yield session.open();
  for (;;) {
    yield session.hover();
    yield driver.sleep(session.interval);
  }
}).catch(session.fail);
