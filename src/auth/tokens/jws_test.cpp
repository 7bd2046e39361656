#include "auth/tokens/jws.hpp"

#include <gtest/gtest.h>

#include "auth/tokens/base64url.hpp"
#include "auth/tokens/signing_keys.hpp"
#include "base/json_writer.hpp"

namespace um {
namespace {

using std::chrono::seconds;

const Secret kSecret{"0123456789abcdef-a-test-secret-xyz"};

std::shared_ptr<const JwsKey> hs256(std::string kid = {}) {
  return JwsKey::hs256({.secret = kSecret, .kid = std::move(kid)});
}

std::string token_with(std::string_view header, std::string_view payload, const JwsKey& key) {
  const std::string input = base64url_encode(header) + '.' + base64url_encode(payload);
  return input + '.' + base64url_encode(key.sign(input));
}

bool accepted(std::string_view token, const JwsKey& key) {
  const auto jws = parse_jws(token);
  return jws && verify_jws(*jws, key);
}

TEST(Jws, WhatAKeySignedItVerifies) {
  const SigningKey pair = make_signing_key(WallTime{seconds{1}});
  for (const auto& key : {JwsKey::ed25519(pair), hs256(), hs256("k1")}) {
    const std::string token = sign_jws("payload", *key);
    const auto jws = parse_jws(token);
    ASSERT_TRUE(jws);
    EXPECT_EQ(jws->payload, "payload");
    EXPECT_TRUE(verify_jws(*jws, *key));
  }
}

TEST(Jws, AnotherKeyRefusesIt) {
  const auto one = JwsKey::ed25519(make_signing_key(WallTime{seconds{1}}));
  SigningKey other = make_signing_key(WallTime{seconds{1}});
  other.kid = one->kid();
  EXPECT_FALSE(accepted(sign_jws("payload", *one), *JwsKey::ed25519(other)));
}

TEST(Jws, EveryChangedCharacterIsNoticed) {
  const auto key = JwsKey::ed25519(make_signing_key(WallTime{seconds{1}}));
  const std::string token = sign_jws(R"({"sub":"1"})", *key);
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'b', '7', '-', '.', '=', '\0'}) {
      if (token[i] == c) continue;
      std::string changed = token;
      changed[i] = c;
      EXPECT_FALSE(accepted(changed, *key)) << changed;
    }
    EXPECT_FALSE(accepted(token.substr(0, i), *key)) << i;
  }
}

TEST(Jws, OneWhoseLastCharacterHasOtherUnusedBitsIsRefused) {
  const auto key = hs256();
  std::string token = sign_jws("payload", *key);
  ASSERT_TRUE(accepted(token, *key));
  // 32 bytes leave two unused bits: the next character of the alphabet is the same signature.
  token.back() = static_cast<char>(token.back() + 1);
  EXPECT_FALSE(accepted(token, *key));
}

TEST(Jws, TheAlgorithmIsTheKeysWhateverTheTokenSays) {
  const SigningKey pair = make_signing_key(WallTime{seconds{1}});
  const auto ed25519 = JwsKey::ed25519(pair);
  // The classic confusion: the public key as the secret of an HMAC.
  const auto confused = JwsKey::hs256({.secret = Secret{pair.public_key}, .kid = pair.kid});
  const std::string kid = R"(,"kid":")" + pair.kid + "\"}";
  EXPECT_FALSE(accepted(token_with(R"({"alg":"HS256")" + kid, "p", *confused), *ed25519));
  EXPECT_FALSE(accepted(token_with(R"({"alg":"EdDSA")" + kid, "p", *confused), *ed25519));
  EXPECT_FALSE(accepted(token_with(R"({"alg":"EdDSA")" + kid, "p", *confused), *confused));
  EXPECT_TRUE(accepted(token_with(R"({"alg":"EdDSA")" + kid, "p", *ed25519), *ed25519));
}

TEST(Jws, TheHeaderHasNothingButAlgTypAndKid) {
  const auto key = hs256();
  EXPECT_TRUE(accepted(token_with(R"({"alg":"HS256"})", "p", *key), *key));
  EXPECT_TRUE(accepted(token_with(R"({"typ":"JWT","alg":"HS256"})", "p", *key), *key));
  for (const std::string_view header : {R"({})",
                                        R"({"typ":"JWT"})",
                                        R"({"alg":"none"})",
                                        R"({"alg":"None"})",
                                        R"({"alg":""})",
                                        R"({"alg":null})",
                                        R"({"alg":256})",
                                        R"({"alg":"hs256"})",
                                        R"({"alg":"HS384"})",
                                        R"({"alg":"HS256","typ":"jwt"})",
                                        R"({"alg":"HS256","typ":"JWE"})",
                                        R"({"alg":"HS256","typ":1})",
                                        R"({"alg":"HS256","crit":["exp"]})",
                                        R"({"alg":"HS256","crit":"exp"})",
                                        R"({"alg":"HS256","b64":false})",
                                        R"({"alg":"HS256","jku":"https://example.org"})",
                                        R"({"alg":"HS256","jwk":{"kty":"oct"}})",
                                        R"({"alg":"HS256","alg":"HS256"})",
                                        R"({"alg":"none","alg":"HS256"})",
                                        R"({"alg":"HS256","kid":""})",
                                        R"({"alg":"HS256","kid":"another"})",
                                        R"({"alg":"HS256","kid":7})",
                                        R"(["alg","HS256"])",
                                        R"("HS256")",
                                        "",
                                        "{"}) {
    EXPECT_FALSE(accepted(token_with(header, "p", *key), *key)) << header;
  }
}

TEST(Jws, AKeyWithAKidWantsIt) {
  EXPECT_FALSE(accepted(sign_jws("p", *hs256()), *hs256("k1")));
  EXPECT_FALSE(accepted(sign_jws("p", *hs256("k1")), *hs256()));
  EXPECT_FALSE(accepted(sign_jws("p", *hs256("k1")), *hs256("k2")));
}

TEST(Jws, ThereAreExactlyThreePartsAndNoneIsEmpty) {
  const auto key = hs256();
  const std::string token = sign_jws("payload", *key);
  const std::string input = token.substr(0, token.rfind('.'));
  for (const std::string& text :
       {std::string{}, std::string{"."}, std::string{".."}, std::string{"..."}, input, input + ".",
        token + ".", token + ".x", "." + token, token + " ", " " + token, token + "\n",
        "Bearer " + token}) {
    EXPECT_FALSE(accepted(text, *key)) << text;
  }
  EXPECT_FALSE(accepted(token_with(R"({"alg":"HS256"})", "", *key), *key));
}

TEST(Jws, ItsLengthIsBounded) {
  const auto key = hs256();
  const std::string fits = sign_jws(std::string(2900, 'x'), *key);
  ASSERT_LE(fits.size(), kMaxTokenBytes);
  EXPECT_TRUE(accepted(fits, *key));
  EXPECT_FALSE(parse_jws(sign_jws(std::string(3100, 'x'), *key)));
}

TEST(JwsKey, MalformedKeysAreRefused) {
  SigningKey key = make_signing_key(WallTime{seconds{1}});
  EXPECT_NE(JwsKey::ed25519(key), nullptr);
  SigningKey short_public = key;
  short_public.public_key.pop_back();
  EXPECT_EQ(JwsKey::ed25519(short_public), nullptr);
  SigningKey short_private = key;
  short_private.private_key = Secret{"short"};
  EXPECT_EQ(JwsKey::ed25519(short_private), nullptr);
  SigningKey mixed = key;
  mixed.private_key = make_signing_key(WallTime{seconds{1}}).private_key;
  EXPECT_EQ(JwsKey::ed25519(mixed), nullptr);
  EXPECT_EQ(JwsKey::hs256({.secret = Secret{std::string(31, 'x')}}), nullptr);
  EXPECT_EQ(JwsKey::hs256({.secret = Secret{}}), nullptr);
}

TEST(JwsKey, WithoutItsPrivateHalfItOnlyVerifies) {
  SigningKey key = make_signing_key(WallTime{seconds{1}});
  const std::string token = sign_jws("p", *JwsKey::ed25519(key));
  key.private_key = {};
  const auto public_only = JwsKey::ed25519(key);
  EXPECT_FALSE(public_only->can_sign());
  EXPECT_TRUE(accepted(token, *public_only));
}

std::optional<std::int64_t> integer(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.find(name);
  return value == nullptr ? std::nullopt : value->integer();
}

TEST(FlatJson, StringsAndIntegersAreFoundByName) {
  const auto object = read_flat_json(R"( {"a":"x\u00e9\n","b":-7,"c":true,"d":1.5,"e":null} )");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->find_string("a"), "x\u00e9\n");
  EXPECT_EQ(integer(*object, "b"), -7);
  EXPECT_EQ(integer(*object, "a"), std::nullopt);
  EXPECT_EQ(object->find_string("b"), nullptr);
  EXPECT_EQ(integer(*object, "d"), std::nullopt);
  EXPECT_NE(object->find("e"), nullptr);
  EXPECT_EQ(object->find("f"), nullptr);
}

TEST(FlatJson, ANameThatAppearsTwiceIsRefused) {
  EXPECT_FALSE(read_flat_json(R"({"alg":"HS256","alg":"none"})"));
  EXPECT_FALSE(read_flat_json(R"({"alg":"HS256","\u0061lg":"HS256"})"));
  EXPECT_TRUE(read_flat_json(R"({"alg":"HS256","ALG":"HS256"})"));
}

TEST(FlatJson, WhatIsNotOneFlatObjectIsRefused) {
  for (const std::string_view text : {"",
                                      " ",
                                      "null",
                                      "\"a\"",
                                      "7",
                                      "[]",
                                      "[1]",
                                      "{",
                                      "}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "{\"a\":{}}",
                                      "{\"a\":[]}",
                                      "{\"a\":[1]}",
                                      "{}{}",
                                      "{} x",
                                      "{\"a\":01}",
                                      "{\"a\":NaN}",
                                      "/**/{}",
                                      "{\"a\":\"\x80\"}",
                                      "{\"a\":\"\\ud800\"}",
                                      "{\"a\":\"\n\"}",
                                      "\xEF\xBB\xBF{}"}) {
    EXPECT_FALSE(read_flat_json(text)) << text;
  }
  EXPECT_FALSE(read_flat_json(std::string_view{"{}\0", 3}));
}

TEST(FlatJson, TheNumberOfMembersIsBounded) {
  std::string text = "{";
  for (std::size_t i = 0; i < kMaxFlatMembers; ++i) {
    text += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i)) + "\":1";
  }
  EXPECT_TRUE(read_flat_json(text + "}"));
  EXPECT_FALSE(read_flat_json(text + ",\"more\":1}"));
}

TEST(FlatJson, NumbersBeyond64BitsAreNotIntegers) {
  const auto object = read_flat_json(R"({"big":18446744073709551616,"huge":9223372036854775808})");
  ASSERT_TRUE(object);
  EXPECT_EQ(integer(*object, "big"), std::nullopt);
  EXPECT_EQ(integer(*object, "huge"), std::nullopt);
}

TEST(JsonQuoted, WhatItWritesIsReadBackTheSame) {
  const std::string text = "a\"b\\c\n\x01\x1F/\u00e9";
  const auto object = read_flat_json(JsonWriter{}.open_object().member("t", text).close().text());
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->find_string("t"), text);
}

}  // namespace
}  // namespace um
