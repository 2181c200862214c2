// A generator that selenium's own control flow drives: driver.call.
'use strict';
const session = require('./session');
const driver = session.driver;

driver.call(function* () {
  yield session.open();
  for (;;) {
    yield session.hover();
    yield driver.sleep(session.interval);
  }
}).then(null, session.fail);
