// Certificates made on the spot, valid for an hour around now.
#pragma once

#include <string>

namespace poller::test {

struct KeyPair {
  std::string certificate_pem, key_pem;
};

// An authority, and a certificate for 127.0.0.1 and localhost that it signed.
KeyPair MakeAuthority(const std::string& name);
KeyPair MakeCertificate(const KeyPair& authority, const std::string& name);

}  // namespace poller::test
