//! The house itself: that modules depend upwards only, that files stay small, and that what is generated is
//! what lies there.

mod files;
mod generated;
mod layers;
