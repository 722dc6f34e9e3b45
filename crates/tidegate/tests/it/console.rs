//! The console as it is served: its files, its page at every path, what browsers are told of them,
//! and whether the built files are those of the sources.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

async fn ask(method: &str, path: &str, tag: Option<&str>) -> (StatusCode, HeaderMap, String) {
    let router: Router = tidegate::console::router();
    let mut request = Request::builder().method(method).uri(path);
    if let Some(tag) = tag {
        request = request.header("if-none-match", tag);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    (parts.status, parts.headers, text)
}

async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
    ask("GET", path, None).await
}

#[tokio::test]
async fn whoever_comes_to_the_admin_listener_is_shown_the_console() {
    for path in ["/", "/console"] {
        let (status, headers, _) = get(path).await;
        assert_eq!(status, StatusCode::TEMPORARY_REDIRECT, "{path}");
        assert_eq!(headers["location"], "/console/", "{path}");
    }
    let (status, headers, page) = get("/console/").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-cache");
    // A page of the page's own, opened by its address.
    let (status, _, same) = get("/console/ten_038G1CJGBG000/money").await;
    assert_eq!((status, same), (StatusCode::OK, page));
}

#[tokio::test]
async fn every_file_that_the_page_names_is_there_and_kept_by_browsers() {
    let (_, _, page) = get("/console/").await;
    let names = regex::Regex::new(r#"(?:src|href)="(/console/[^"]+)""#).expect("a pattern");
    let named: Vec<_> = names
        .captures_iter(&page)
        .map(|found| found[1].to_owned())
        .collect();
    assert!(named.len() >= 3, "script, style and mark: {named:?}");
    for path in named {
        let (status, headers, text) = get(&path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(!text.is_empty(), "{path}");
        let kind = headers["content-type"].to_str().expect("text");
        let expected = match path.rsplit_once('.').expect("an ending").1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other} has no type"),
        };
        assert_eq!(kind, expected, "{path}");
        assert!(
            headers["cache-control"]
                .to_str()
                .expect("text")
                .contains("immutable")
        );
        let tag = headers["etag"].to_str().expect("text");
        let (status, _, again) = ask("GET", &path, Some(tag)).await;
        assert_eq!((status, again.as_str()), (StatusCode::NOT_MODIFIED, ""));
    }
    // A file of another version is no page.
    assert_eq!(
        get("/console/assets/index-old.js").await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_page_may_do_what_it_needs_and_nothing_else() {
    let (_, headers, page) = get("/console/").await;
    let policy = headers["content-security-policy"].to_str().expect("text");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert!(
        !page.contains("<style") && !page.contains("<script>"),
        "{page}"
    );
    assert_eq!(
        ask("POST", "/console/", None).await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn no_path_leads_out_of_the_console() {
    for path in [
        "/console/../Cargo.toml",
        "/console/..%2f..%2fCargo.toml",
        "/console/assets/../../package.json",
        "/console//etc/passwd",
    ] {
        let (status, _, text) = get(path).await;
        let page = text.contains("<div id=\"root\">");
        assert!(
            page || status == StatusCode::NOT_FOUND,
            "{path}: {status} {text}"
        );
    }
}

/// The built files are committed, so that building the server needs no Node. This fails when sources
/// were changed and `npm run build` was forgotten.
#[test]
fn the_built_files_are_those_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../console");
    let mut files: Vec<PathBuf> = [
        "index.html",
        "package-lock.json",
        "package.json",
        "tsconfig.json",
        "vite.config.ts",
    ]
    .iter()
    .map(|name| root.join(name))
    .collect();
    collect(&root.join("src"), &mut files);
    let mut named: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).expect("below the root");
            let name = name.to_str().expect("a plain name").to_owned();
            (name, std::fs::read(path).expect("a file"))
        })
        .collect();
    named.sort();
    let mut hash = Sha256::new();
    for (name, bytes) in &named {
        hash.update(format!("{name}\n{}\n", bytes.len()));
        hash.update(bytes);
    }
    let hash: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kept = std::fs::read_to_string(root.join("sources.sha256")).expect("the hash beside dist");
    assert_eq!(
        kept.trim(),
        hash,
        "console/dist is older than its sources: run `npm run build` in console/"
    );
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}
