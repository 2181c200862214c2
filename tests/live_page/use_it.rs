//! What people do on the page: watch, zoom, point, choose; with a pointer and with a keyboard.

use std::time::Duration;

use serde_json::json;

use crate::page::Page;
use crate::stage::Stage;

const DESK: (u32, u32) = (1280, 900);

#[tokio::test]
async fn a_commit_is_on_the_page_soon_and_no_more_is_asked_than_that() {
    let stage = Stage::new();
    let mut feed = stage.store("soak.db", 600);
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/", DESK).await;
    page.until_shown().await;
    assert_eq!(page.text("#file").await, "soak.db");
    assert!(!page.eval("document.documentElement.outerHTML").await.to_string().contains("canary"));
    let mut fastest = Duration::MAX;
    for mib in [41, 42, 43] {
        let committed = feed.commit(Some(mib << 20)).await;
        page.until(&format!("document.querySelector('#sources .shown td').textContent === '{mib}.00 MiB'")).await;
        fastest = fastest.min(committed.elapsed());
    }
    // The fastest of them: a page that looked too seldom would be late each time, a busy machine is so now and then.
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
    assert!(page.text("#recording").await.starts_with("recording, "));
    assert!(page.eval("document.title").await.as_str().unwrap().starts_with("43.00 MiB heap_used"));
    let asked = page.eval("performance.getEntriesByType('resource').filter((r) => r.name.includes('/view')).length");
    let asked = asked.await.as_i64().unwrap();
    assert!((4..=14).contains(&asked), "{asked} pictures for 3 commits");
    page.close().await;
}

#[tokio::test]
async fn dragging_zooms_a_double_click_goes_back_and_the_address_keeps_it() {
    let stage = Stage::new();
    let mut feed = stage.store("soak.db", 600);
    let server = stage.serve(&[]);
    let mut page = Page::open(&server.url, "/?panel=heap_used&panel=rss", DESK).await;
    page.until_shown().await;
    let (from, to) = (page.point("#plot", 0.4, 0.3).await, page.point("#plot", 0.7, 0.5).await);
    page.drag(from, to).await;
    page.until("new URLSearchParams(location.search).has('start')").await;
    let address = page.eval("location.search").await;
    let value = |key: &str| {
        let query = address.as_str().unwrap().trim_start_matches('?');
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}="))?.parse::<f64>().ok()).unwrap()
    };
    let length = value("end") - value("start");
    // The canvas is less wide than the plot, so 0.3 of the one is a little more of the other.
    assert!((180.0..230.0).contains(&length), "{length} s were selected");
    page.until("document.querySelector('#live').hidden === false").await;
    page.until("import('/plot.js').then(({ view }) => view.moves === false)").await;
    // What is zoomed into stays where it is while data come.
    let before = page.text("#span").await;
    feed.commit(None).await;
    page.until("document.querySelector('#recording').textContent.startsWith('recording')").await;
    assert_eq!(page.text("#span").await, before);
    // Somebody else opens the same address.
    let shared = format!("/{}", address.as_str().unwrap());
    page.double_click(page.point("#plot", 0.5, 0.4).await).await;
    page.until("!location.search.includes('start')").await;
    page.until(&format!("document.querySelector('#span').textContent !== {before:?}")).await;
    page.goto(&shared).await;
    page.until(&format!("document.querySelector('#span').textContent === {before:?}")).await;
    page.back().await;
    page.until("!location.search.includes('start')").await;
    page.close().await;
}

#[tokio::test]
async fn the_crosshair_tells_time_and_values_of_all_panels_to_a_pointer() {
    let stage = Stage::new();
    let mut feed = stage.store("soak.db", 600);
    feed.event(300, "renderer_crash", "signal 9");
    feed.writer.commit().unwrap();
    let server = stage.serve(&[]);
    let mut page = Page::open(&server.url, "/", DESK).await;
    page.until_shown().await;
    page.session.hover("#cursor").await.unwrap();
    page.until("!document.querySelector('#readout').hidden && !document.querySelector('#hair').hidden").await;
    let said = page.text("#readout").await;
    for part in ["heap_used", "rss", "dom_nodes", "MiB", ":"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(page.eval("document.querySelectorAll('#dots i').length").await, json!(3));
    // A dot lies on its line: on a canvas, and not at its foot.
    let ok = "[...document.querySelectorAll('#dots i')].every((dot) => parseFloat(dot.style.top) > 10)";
    assert_eq!(page.eval(ok).await, json!(true));
    // The event is said where it happened.
    let x =
        page.eval("import('/plot.js').then(({ view }) => view.marks.find((m) => m.says.includes('crash')).x)").await;
    let plot = page.point("#plot", 0.0, 0.5).await;
    page.hover_at((plot.0 + x.as_f64().unwrap(), plot.1)).await;
    page.until("document.querySelector('#readout').textContent.includes('renderer crash: signal 9')").await;
    page.hover_at((5.0, 5.0)).await;
    page.until("document.querySelector('#readout').hidden").await;
    page.close().await;
}

#[tokio::test]
async fn the_keyboard_does_what_the_pointer_does_and_says_it() {
    let stage = Stage::new();
    let _feed = stage.store("soak.db", 600);
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/", DESK).await;
    page.until_shown().await;
    // The first stop leads past the head to the picture.
    page.press("Tab").await;
    assert_eq!(page.eval("document.activeElement.textContent").await, json!("To the picture"));
    page.press("Enter").await;
    page.until("document.activeElement.id === 'cursor'").await;
    let spoken = "document.querySelector('#cursor').getAttribute('aria-valuetext')";
    let index = "Number(document.querySelector('#cursor').getAttribute('aria-valuenow'))";
    // A column's number may change with the page's width, its time does not.
    let at = format!("import('/plot.js').then(({{ view }}) => view.columns.time[{index}])");
    page.press("ArrowLeft").await;
    page.until("!document.querySelector('#hair').hidden").await;
    // It stays in the newest row, which ends after the picture does, when the picture is drawn anew.
    let width = "import('/plot.js').then(({ view }) => view.width)";
    let before = page.eval(width).await;
    page.resize(DESK.0 - 200, DESK.1).await;
    page.until(&format!("{width}.then((now) => now !== {before})")).await;
    assert_eq!(page.eval("document.querySelector('#hair').hidden").await, json!(false));
    let newest = page.eval(&at).await.as_f64().unwrap();
    let said = page.eval(spoken).await;
    assert!(said.as_str().unwrap().contains("heap_used ") && said.as_str().unwrap().contains("; rss "), "{said}");
    page.press("ArrowLeft").await;
    page.until(&format!("{at}.then((at) => at < {newest})")).await;
    assert_ne!(page.eval(spoken).await, said);
    page.press("Home").await;
    assert_eq!(page.eval(index).await, json!(0));
    // Enter, far right, Enter: the same as dragging.
    page.press("Enter").await;
    page.press("PageUp").await;
    page.press("PageUp").await;
    page.until("!document.querySelector('#selection').hidden").await;
    page.press("Enter").await;
    page.until("location.search.includes('start=')").await;
    let zoomed = page.eval("location.search").await;
    page.press("+").await;
    page.until(&format!("location.search !== {zoomed}")).await;
    page.press("Backspace").await;
    page.until(&format!("location.search === {zoomed}")).await;
    page.press("Backspace").await;
    page.until("!location.search.includes('start=')").await;
    page.press("Escape").await;
    page.until("document.querySelector('#hair').hidden").await;
    page.close().await;
}

#[tokio::test]
async fn sources_are_chosen_and_moved_and_an_event_leads_to_its_time() {
    let stage = Stage::new();
    let mut feed = stage.store("soak.db", 3000);
    feed.event(2400, "navigation", "http://me:canary@127.0.0.1/far");
    feed.writer.commit().unwrap();
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/?panel=heap_used", DESK).await;
    page.until_shown().await;
    let panels = |count: usize, series: usize| {
        format!(
            "import('/plot.js').then(({{ view }}) => view.panels.length === {count} && \
             view.panels.flatMap((p) => p.series).length === {series})"
        )
    };
    // One of the same unit joins; one of another has a panel of its own.
    page.click("#sources tr:nth-child(2) input").await;
    page.until(&panels(1, 2)).await;
    page.click("#sources tr:nth-child(3) input").await;
    page.until(&panels(2, 3)).await;
    assert_eq!(
        page.eval("new URLSearchParams(location.search).getAll('panel').join('|')").await,
        json!("heap_used,rss|dom_nodes")
    );
    page.eval("(() => { const s = document.querySelector('#sources tr:nth-child(2) select'); s.value = '2'; s.dispatchEvent(new Event('change')); })()").await;
    page.until(&panels(3, 3)).await;
    page.click("#sources tr:nth-child(1) input").await;
    page.until(&panels(2, 2)).await;
    // The event happened half an hour before what is shown.
    page.until("document.querySelectorAll('#events button').length === 1").await;
    assert!(page.text("#events").await.contains("http://me:***@127.0.0.1/far"));
    page.click("#events button").await;
    page.until("location.search.includes('start=')").await;
    page.until("document.querySelector('#readout').textContent.includes('navigation: http')").await;
    assert_eq!(page.eval("document.activeElement.id").await, json!("cursor"));
    page.click("#live").await;
    page.until("!location.search.includes('start=')").await;
    page.close().await;
}

#[tokio::test]
async fn years_are_shown_as_well_as_minutes_and_a_crosshair_stays_where_nothing_is_known() {
    let stage = Stage::new();
    let _feed = stage.store("soak.db", 25);
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/?last=7d&panel=heap_used,gone", DESK).await;
    page.until_shown().await;
    // There is no minute of it yet that is over, as a row for such a span would be.
    page.until("document.querySelector('#sources .shown td').textContent.endsWith(' MiB')").await;
    // A picture by itself has what the page has.
    let link = "document.querySelector('#as-svg').getAttribute('href')";
    assert_eq!(page.eval(&format!("fetch({link}).then((answer) => answer.status)")).await, json!(200));
    let span = "import('/plot.js').then(({ view }) => view.to - view.from)";
    for _ in 0..12 {
        let before = page.eval(span).await;
        page.click("#wider").await;
        page.until(&format!("{span}.then((now) => now > {before} || now >= 20 * 366 * 86400)")).await;
        assert_eq!(page.eval("document.body.dataset.state").await, json!("shown"));
    }
    let at = page.point("#plot", 0.2, 0.3).await;
    page.hover_at(at).await;
    page.until("document.querySelector('#readout').textContent.includes('heap_usedunknown')").await;
    let away = "Math.abs(document.querySelector('#hair').getBoundingClientRect().x - ";
    page.until(&format!("{away}{}) < 3", at.0)).await;
    page.close().await;
}

#[tokio::test]
async fn the_theme_is_the_systems_until_somebody_chooses_and_the_picture_follows() {
    let stage = Stage::new();
    let _feed = stage.store("soak.db", 60);
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/", DESK).await;
    page.until_shown().await;
    let both = |ground: &str, picture: &str| {
        format!(
            "getComputedStyle(document.body).backgroundColor === '{ground}' && \
             document.querySelector('#canvas svg rect').getAttribute('fill') === '{picture}'"
        )
    };
    let (light, dark) = (both("rgb(255, 255, 255)", "#FFFFFF"), both("rgb(18, 22, 27)", "#12161B"));
    page.until(&light).await;
    page.system_theme("dark").await;
    page.until(&dark).await;
    page.click("#theme").await;
    page.until(&light).await;
    assert_eq!(page.eval("new URLSearchParams(location.search).get('theme')").await, json!("light"));
    page.system_theme("light").await;
    page.click("#theme").await;
    page.until(&dark).await;
    page.click("#theme").await;
    page.until(&light).await;
    assert_eq!(page.eval("location.search").await, json!(""));
    page.close().await;
}

#[tokio::test]
async fn the_verdict_is_a_line_of_the_page_and_its_trend_is_drawn_on_request() {
    let stage = Stage::new();
    let _feed = stage.store("soak.db", 3600);
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/?last=1h", DESK).await;
    page.until_shown().await;
    page.until("!document.querySelector('#verdict').hidden").await;
    let said = page.text("#verdict summary").await;
    assert!(said.starts_with("heap_used: "), "{said}");
    let series = "import('/plot.js').then(({ view }) => view.panels[0].series.length)";
    assert_eq!(page.eval(series).await, json!(1));
    page.click("#trend").await;
    page.until("document.querySelector('#canvas').textContent.includes('trend of heap_used')").await;
    // It is no source: neither the crosshair nor the table has it.
    assert_eq!(page.eval(series).await, json!(1));
    assert_eq!(page.eval("document.querySelectorAll('#sources tr').length").await, json!(4));
    page.close().await;
}
