//! The option that leaves figures for a monitoring system.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;

use crate::cli::metrics::Figures;

/// Where figures go.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct MetricsArgs {
    /// Write the run's figures to this file for Prometheus (OpenMetrics text), also when it fails;
    /// the last success of before is kept
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) metrics_file: Option<PathBuf>,
    /// What the run has done, once it is known.
    #[arg(skip)]
    figures: Arc<Mutex<Figures>>,
}

impl MetricsArgs {
    /// Adds what was done.
    pub(in crate::cli) fn count(&self, figures: &Figures) {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).add(figures);
    }

    /// What was done.
    pub(in crate::cli) fn figures(&self) -> Figures {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
