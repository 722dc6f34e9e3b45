use super::*;

#[test]
fn stub_is_replaced() {}
