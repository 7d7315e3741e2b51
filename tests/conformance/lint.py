"""Runs pkilint over files: a JSON list of [kind, path, ..] in, a JSON list of findings at ERROR or above out."""

import contextlib
import io
import json
import sys

from pkilint.bin import lint_crl, lint_ocsp_response, lint_pkix_cert, lint_pkix_signer_signee_cert_chain

LINTERS = {
    "certificate": (lint_pkix_cert.main, []),
    "pair": (lint_pkix_signer_signee_cert_chain.main, []),
    "crl": (lint_crl.main, ["-t", "CRL", "-p", "PKIX"]),
    "answer": (lint_ocsp_response.main, []),
}

findings = []
for kind, *paths in json.loads(sys.argv[1]):
    main, options = LINTERS[kind]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        main(["lint", *options, "-s", "ERROR", "-f", "JSON", *paths])
    for result in json.loads(said.getvalue())["results"]:
        for finding in result["finding_descriptions"]:
            findings.append(
                {
                    "kind": kind,
                    "file": paths[-1],
                    "code": finding["code"],
                    "message": f"{finding['severity']} at {result['node_path']}: {finding.get('message')}",
                }
            )
print(json.dumps(findings))
