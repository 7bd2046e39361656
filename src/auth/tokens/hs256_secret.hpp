// Which secrets may sign tokens with HS256: anybody who guesses it can sign in as anybody, offline.
// Thread safety: any.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

namespace um {

// `file` is what a secret file contains; one line end at its end does not belong to the secret.
// invalid if it is shorter than 32 bytes, well known, or made of next to nothing (one repeated
// piece, a run like 0123456789…, fewer than 8 different bytes). The detail never shows the secret.
Result<Secret> read_hs256_secret(const Secret& file);

}  // namespace um
