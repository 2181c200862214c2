// What the three loops share: a session with a driver that runs already, a page, and one pass.
//
//   DRIVER    the driver's URL           PAGE       the page's URL, which has the input #kw
//   INTERVAL  ms between two passes      ROOT       set when Chromium runs as root
'use strict';
const webdriver = require('selenium-webdriver');

const args = ['--headless=new', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--user-data-dir=' + process.env.PROFILE];
if (process.env.ROOT) args.push('--no-sandbox');

exports.promise = webdriver.promise;
exports.interval = Number(process.env.INTERVAL || 50);

// The old form of the wish: with it today's chromedriver still speaks this client's protocol.
exports.driver = new webdriver.Builder()
  .usingServer(process.env.DRIVER)
  .withCapabilities({ browserName: 'chrome', chromeOptions: { args: args } })
  .build();

exports.open = function () {
  return exports.driver.get(process.env.PAGE);
};

// One pass: the mouse moves over the field.
exports.hover = function () {
  const field = exports.driver.findElement(webdriver.By.id('kw'));
  return exports.driver.actions().mouseMove(field).perform();
};

exports.fail = function (error) {
  console.error(error.stack || error);
  process.exit(1);
};
