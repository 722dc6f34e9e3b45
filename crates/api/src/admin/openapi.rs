pub fn document() -> String {
    "{}".into()
}
pub(super) async fn serve() -> axum::response::Response {
    crate::http::json_response(axum::http::StatusCode::OK, document().into())
}
