//! nginx fetches what it staples from the responder that the certificate names, or reads it from a file.
use crate::foreign_notes::noted;
use crate::servers::{GOOD, REVOKED, Site};
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
daemon off;
master_process off;
pid DIR/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/proxy;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    server {
        listen AT_GOOD ssl;
        ssl_certificate DIR/good.genfic.example.chain.pem;
        ssl_certificate_key DIR/good.genfic.example.key;
        ssl_stapling on;
        ssl_stapling_verify on;
        ssl_trusted_certificate DIR/root.pem;
        ssl_verify_client on;
        ssl_verify_depth 2;
        ssl_client_certificate DIR/users.pem;
        ssl_crl DIR/all.crl.pem;
        return 200 "hello $ssl_client_s_dn";
    }
    server {
        listen AT_REVOKED ssl;
        ssl_certificate DIR/revoked.genfic.example.chain.pem;
        ssl_certificate_key DIR/revoked.genfic.example.key;
        ssl_stapling on;
        ssl_stapling_file DIR/revoked.der;
        return 200 "hello";
    }
}
"#;

#[test]
fn nginx_serves_our_chain_staples_our_answer_and_takes_no_revoked_client() {
    // G7, P1, P15
    let site = Site::with_key("p256");
    site.configure("nginx.conf", CONFIG);
    site.fetch_answer(REVOKED, "revoked", "server/revoked.der");
    let directory = site.home.path("server").display().to_string();
    let configuration = format!("{directory}/nginx.conf");
    let _server = site.serve(&["nginx", "-e", "stderr", "-p", &directory, "-c", &configuration]);

    let said = site.curl_as("amber");
    assert!([0, 91].contains(&said.status), "{}", said.all());
    noted("nginx-first-client", said.status == 91);
    let begun = Instant::now();
    while site.curl_as("amber").status == 91 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never staples");
        std::thread::sleep(Duration::from_millis(20));
    }
    site.is_judged();
    assert!(site.curl_as("amber").out.contains("CN=amber"));

    // it ends the handshake first, and tells by HTTP that it does not take the certificate
    for refused in [site.curl_as("basil"), site.curl(GOOD, &[])] {
        assert!(!refused.out.contains("hello"), "{refused:?}");
    }
}
