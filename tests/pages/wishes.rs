//! What people ask their browser for: more contrast, colours of their own, nothing that moves.

use super::browser::{Browser, Kind, PHONE, browse};
use super::demo::Demo;
use serde_json::json;

/// The texts of a page whose contrast with what is behind them is under 7 : 1 (WCAG 2.2, 1.4.6).
const FAINT: &str = "
    const parts = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (text) => {
        const part = parts(text).slice(0, 3).map((v) => v / 255);
        const [r, g, b] = part.map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b;
    };
    const behind = (one) => {
        for (; one; one = one.parentElement) {
            const { backgroundColor } = getComputedStyle(one);
            if ((parts(backgroundColor)[3] ?? 1) > 0) return backgroundColor;
        }
        return 'rgb(255, 255, 255)';
    };
    const own = (one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    return [...document.body.querySelectorAll('*')]
        .filter((one) => own(one) && one.checkVisibility() && !one.closest('svg, noscript, script'))
        .map((one) => {
            const two = [light(getComputedStyle(one).color), light(behind(one))];
            const ratio = (Math.max(...two) + .05) / (Math.min(...two) + .05);
            return [ratio, one.outerHTML.slice(0, 120)];
        })
        .filter(([ratio]) => ratio < 7);";

/// Whatever still moves, also if a page asked for it.
const MOVING: &str = "
    document.body.style.transition = 'color 1s';
    document.body.style.animation = 'none 1s';
    const all = [document.documentElement, ...document.querySelectorAll('body, body *')];
    const seconds = (text) => text.split(',').some((one) => parseFloat(one) > 0);
    return all.flatMap((one) => ['', '::before', '::after'].map((part) => {
        const style = getComputedStyle(one, part);
        const moves = seconds(style.transitionDuration) || seconds(style.animationDuration);
        return moves || style.scrollBehavior === 'smooth' ? one.tagName + part : null;
    })).filter((one) => one);";

/// Shows the pages of the way to `seen`, each by its name.
async fn each_page(browser: &Browser, demo: &Demo, seen: impl AsyncFn(&Browser, &str)) {
    browser.go("").await;
    seen(browser, "landing").await;
    browser.go("/enter").await;
    browser.click("main form button").await;
    browser.text(".error").await;
    seen(browser, "errors").await;
    browser.sign_in(&demo.people[0]).await;
    browser.at("/sites").await;
    seen(browser, "regions").await;
    browser.choose_day(0).await;
    seen(browser, "times").await;
    browser.client.back().await.unwrap();
    browser.text(".calendar").await;
    seen(browser, "days").await;
    browser.day(0).await;
    browser.click("button.choice:not([disabled])").await;
    browser.at("/confirm").await;
    seen(browser, "confirm").await;
    browser.confirm().await;
    seen(browser, "booking").await;
}

fn more_contrast(kind: Kind, ink: &str, paper: &str) {
    let demo = Demo::open();
    browse(kind, &demo.base(), async |browser| {
        browser.prefer("", &[("prefers-contrast", "more")]).await;
        each_page(browser, &demo, async |browser, page| {
            let style = "const s = getComputedStyle(document.body); \
                         return [s.color, s.backgroundColor]";
            assert_eq!(browser.script(style).await, json!([ink, paper]), "{page}");
            let faint = browser.script(FAINT).await;
            assert_eq!(faint, json!([]), "{page}: {faint:#}");
            browser.look(&format!("{page}-contrast")).await;
        })
        .await;
    });
}

#[test]
fn more_contrast_is_given_in_the_light() {
    more_contrast(PHONE, "rgb(0, 0, 0)", "rgb(255, 255, 255)");
}

#[test]
fn more_contrast_is_given_in_the_dark() {
    let kind = Kind {
        dark: true,
        ..PHONE
    };
    more_contrast(kind, "rgb(255, 255, 255)", "rgb(0, 0, 0)");
}

/// Where colours are the person's own, also what is drawn has them, and the code is still read.
#[test]
fn colours_of_ones_own_reach_everything() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        browser.prefer("", &[("forced-colors", "active")]).await;
        each_page(browser, &demo, async |browser, page| {
            let foreign = "const own = document.createElement('p'); document.body.append(own); \
                const colour = (name) => { own.style.color = name; \
                    return getComputedStyle(own).color; }; \
                const known = ['CanvasText', 'Canvas', 'LinkText'].map(colour); own.remove(); \
                const drawn = document.querySelectorAll('.outline text, .calendar b'); \
                return [...drawn].map(one => getComputedStyle(one).fill) \
                    .filter(fill => !known.includes(fill))";
            assert_eq!(browser.script(foreign).await, json!([]), "{page}");
            browser.look(&format!("{page}-forced")).await;
        })
        .await;
        let code = "const fill = (css) => getComputedStyle(document.querySelector(css)).fill; \
                    return [fill('.qr'), fill('.qr .paper')]";
        let expected = json!(["rgb(0, 0, 0)", "rgb(255, 255, 255)"]);
        assert_eq!(browser.script(code).await, expected);
    });
}

#[test]
fn nothing_moves_for_whoever_wants_it_still() {
    let demo = Demo::open();
    browse(PHONE, &demo.base(), async |browser| {
        let still = [("prefers-reduced-motion", "reduce")];
        browser.prefer("", &still).await;
        each_page(browser, &demo, async |browser, page| {
            assert_eq!(browser.script(MOVING).await, json!([]), "{page}");
            browser.look(&format!("{page}-still")).await;
        })
        .await;
    });
}
