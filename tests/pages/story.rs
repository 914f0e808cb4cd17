//! What people do, step by step, in any of the browsers.

use super::browser::Browser;
use super::world::Person;

/// Words that the steps look for.
pub fn word(lang: &str, ko: &'static str, en: &'static str) -> &'static str {
    if lang == "ko" { ko } else { en }
}

impl Browser {
    pub async fn sign_in(&self, person: &Person) {
        self.fill("name", &person.name).await;
        self.fill("birth_date", &person.birth_date).await;
        self.fill("code", &person.code).await;
        if self.count("#agreed:not(:checked)").await > 0 {
            self.click("#agreed").await;
        }
        self.click("main form button").await;
    }

    /// From the identity form to the choice of a site.
    pub async fn come_in(&self, person: &Person) {
        self.go("/enter").await;
        self.sign_in(person).await;
        self.at("/sites").await;
    }

    /// Chooses the site that is nearest, the `day`th day with seats and its first time.
    pub async fn choose(&self, day: usize) {
        self.choose_day(day).await;
        self.click("button.choice:not([disabled])").await;
    }

    /// The same, up to the times of the day.
    pub async fn choose_day(&self, day: usize) {
        self.click(".sites .site").await;
        self.text(".calendar").await;
        self.day(day).await;
    }

    /// Opens the `day`th day with seats, from 0.
    pub async fn day(&self, day: usize) {
        let days = fantoccini::Locator::Css(".calendar a");
        let days = self.client.find_all(days).await.unwrap();
        days[day].click().await.unwrap();
        self.text("button.choice").await;
    }

    /// Confirms what is held; the number of the booking.
    pub async fn confirm(&self) -> String {
        self.at("/confirm").await;
        self.click("form[action$='/book'] button").await;
        self.at("/booking").await;
        self.text(".ticket .number").await
    }

    pub async fn book(&self, person: &Person, day: usize) -> String {
        self.come_in(person).await;
        self.choose(day).await;
        self.confirm().await
    }
}
