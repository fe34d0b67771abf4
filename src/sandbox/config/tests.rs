//! AWS Config as SDK clients meet it.
