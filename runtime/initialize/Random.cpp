// Philox4x32-10 and what is made from it.
#include "adjrt/initialize/Random.h"
#include "PortableMath.h"

#include <cmath>

using namespace adjrt;

/// FNV-1a: names of parameters differ in a few characters, which is all it has to keep apart.
static std::uint64_t hashName(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view name) : seed(seed), stream(hashName(name)) {}

std::array<std::uint64_t, 2> RandomStream::block(std::uint64_t counter) const {
  auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::array<std::uint32_t, 4> x = {low(counter), high(counter), low(stream), high(stream)};
  std::uint32_t key0 = low(seed), key1 = high(seed);
  for (int round = 0; round != 10; ++round) {
    std::uint64_t product0 = std::uint64_t{0xD2511F53} * x[0], product1 = std::uint64_t{0xCD9E8D57} * x[2];
    x = {high(product1) ^ x[1] ^ key0, low(product1), high(product0) ^ x[3] ^ key1, low(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return {std::uint64_t{x[1]} << 32 | x[0], std::uint64_t{x[3]} << 32 | x[2]};
}

/// The middle of one of 2^52 equal intervals: never 0, never 1.
static double toUnit(std::uint64_t bits) { return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52; }

double RandomStream::uniform(std::uint64_t index) const { return toUnit(block(index / 2)[index % 2]); }

double RandomStream::normal(std::uint64_t index) const {
  std::array<std::uint64_t, 2> bits = block(index / 2);
  double radius = std::sqrt(-2 * portableLog(toUnit(bits[0])));
  SineCosine angle = portableSineCosine(toUnit(bits[1]));
  return radius * (index % 2 == 0 ? angle.cosine : angle.sine);
}

std::uint64_t RandomStream::below(std::uint64_t index, std::uint64_t bound) const {
  // Lemire's multiplication; with 64 random bits and a bound below 2^32 the bias is below 2^-32.
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(block(index / 2)[index % 2]) * bound >> 64);
}
