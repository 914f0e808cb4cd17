//! Figures on their way into a registry: gauges, counters and histograms by name.

use std::sync::atomic::AtomicU64;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::measure::Counted;

/// Names and values of labels.
pub type Labels = Vec<(String, String)>;

/// The figures of one moment. Every name gets the prefix `sumun_`.
pub struct Figures(Registry);

impl Default for Figures {
    fn default() -> Self {
        Self(Registry::with_prefix("sumun"))
    }
}

impl Figures {
    pub fn registry(self) -> Registry {
        self.0
    }

    pub fn gauge(&mut self, name: &str, help: &str, value: i64) {
        self.0.register(name, help, ConstGauge::new(value));
    }

    pub fn real(&mut self, name: &str, help: &str, value: f64) {
        self.0.register(name, help, ConstGauge::new(value));
    }

    /// Gauges of one kind, told apart by one label.
    pub fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (String, i64)>,
    ) {
        let values = values.into_iter();
        let labelled = values.map(|(of, value)| (vec![(label.to_owned(), of)], value));
        self.labelled(name, help, labelled);
    }

    /// The same of values that are no whole numbers.
    pub fn reals(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (String, f64)>,
    ) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        for (of, value) in values {
            let labels = vec![(label.to_owned(), of)];
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    /// Gauges of one kind, told apart by several labels.
    pub fn labelled(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, i64)>,
    ) {
        let family = Family::<Labels, Gauge>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    /// What only rises; `_total` is put behind the name.
    pub fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        counts: impl IntoIterator<Item = (String, u64)>,
    ) {
        let family = Family::<Labels, Counter>::default();
        for (of, count) in counts {
            let labels = vec![(label.to_owned(), of)];
            family.get_or_create(&labels).inc_by(count);
        }
        self.0.register(name, help, family);
    }

    pub fn histograms(&mut self, histograms: Histograms) {
        self.0.register_collector(Box::new(histograms));
    }
}

/// Histograms of one kind.
#[derive(Debug)]
pub struct Histograms {
    pub name: &'static str,
    pub help: &'static str,
    pub counted: Vec<(Labels, Counted)>,
}

impl Collector for Histograms {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let kind = MetricType::Histogram;
        let mut all = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        for (labels, counted) in &self.counted {
            let (sum_s, count, buckets) = (counted.sum_s(), counted.count(), counted.buckets());
            if labels.is_empty() {
                all.encode_histogram::<NoLabelSet>(sum_s, count, &buckets, None)?;
            } else {
                all.encode_family(labels)?
                    .encode_histogram::<NoLabelSet>(sum_s, count, &buckets, None)?;
            }
        }
        Ok(())
    }
}
