//! From a phone to a wall, light and dark: nothing overflows, and there are pictures to look at.

use serde_json::json;

use crate::page::Page;
use crate::stage::Stage;

/// Widths with the height of such a screen.
const SCREENS: [(u32, u32); 3] = [(360, 740), (1280, 800), (2560, 1440)];

/// Elements that reach beyond the window, but for those that scroll by themselves or are cut with `…`.
const OVERFLOW: &str = "[...document.body.querySelectorAll('*')].filter((e) => !e.closest('.scroll, .skip, h1') && \
    (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1) && \
    e.getBoundingClientRect().width > 0 && !e.closest('svg')).map((e) => e.tagName + '#' + e.id + '.' + e.className).join(' ')";

#[tokio::test]
async fn the_page_fits_a_phone_and_a_wall_in_both_themes() {
    let stage = Stage::new();
    let mut feed = stage.store("soak.db", 3000);
    for (ago, kind, detail) in [
        (500, "start", "http://127.0.0.1:8080/page"),
        (420, "navigation", "http://127.0.0.1:8080/page"),
        (300, "renderer_crash", "signal 9"),
        (290, "restart", "after 2.1 s"),
        (60, "oom", "60 MiB"),
    ] {
        feed.event(ago, kind, detail);
    }
    feed.writer.commit().unwrap();
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/", SCREENS[1]).await;
    for (width, height) in SCREENS {
        page.resize(width, height).await;
        for theme in ["light", "dark"] {
            page.system_theme(theme).await;
            let ground = if theme == "dark" { "#12161B" } else { "#FFFFFF" };
            let sized = format!(
                "document.querySelector('#canvas svg')?.getAttribute('width') === String(document.querySelector('#plot').clientWidth) && \
                 document.querySelector('#canvas svg rect').getAttribute('fill') === '{ground}'"
            );
            page.until(&sized).await;
            page.hover_at(page.point("#plot", 0.72, 0.4).await).await;
            page.until("!document.querySelector('#readout').hidden").await;
            page.screenshot(&format!("live-{width}-{theme}.png")).await;
            assert_eq!(page.eval(OVERFLOW).await, json!(""), "{width} px, {theme}");
            let table = "(({ scrollWidth, clientWidth }) => innerWidth < 1000 || scrollWidth <= clientWidth)(document.querySelector('.scroll'))";
            assert_eq!(page.eval(table).await, json!(true), "the table is cut at {width} px");
            assert_eq!(
                page.eval("document.documentElement.scrollWidth <= innerWidth").await,
                json!(true),
                "{width} px"
            );
        }
    }
    page.close().await;
}

#[tokio::test]
async fn a_folder_shows_a_thumbnail_of_each_store_and_leads_to_it() {
    let stage = Stage::new();
    let _feeds = [
        stage.store("call_node4.db", 900),
        stage.store("bluebird.db", 300),
        stage.store("a-rather-long-name-of-a-soak-test-that-runs-for-seven-days.db", 60),
    ];
    stage.store("ended.db", 600).writer.close().unwrap();
    std::fs::File::create(stage.path("broken.db")).unwrap().set_len(5000).unwrap();
    let server = stage.serve(&["--db", "."]);
    let mut page = Page::open(&server.url, "/", SCREENS[1]).await;
    for (width, height) in SCREENS {
        page.resize(width, height).await;
        for theme in ["light", "dark"] {
            page.system_theme(theme).await;
            page.until(&format!(
                "[...document.querySelectorAll('.thumbnail:not([hidden])')].filter((i) => i.complete && i.naturalWidth && i.src.includes('theme={theme}')).length === 4"
            ))
            .await;
            page.screenshot(&format!("start-{width}-{theme}.png")).await;
            assert_eq!(page.eval(OVERFLOW).await, json!(""), "{width} px, {theme}");
        }
    }
    assert_eq!(page.eval("document.querySelectorAll('.card').length").await, json!(5));
    assert!(page.text("#stores").await.contains("not a heapsoak store"));
    page.session.hover("a[href*='bluebird']").await.unwrap();
    page.click("a[href*='bluebird']").await;
    page.until_shown().await;
    assert_eq!(page.text("#file").await, "bluebird.db");
    page.goto("/live?db=..%2Fetc%2Fpasswd").await;
    page.until("document.querySelector('#says').textContent.includes('no such store')").await;
    let complaints = page.end().await;
    assert!(complaints.iter().all(|text| text.contains("404")), "{complaints:#?}");
}
