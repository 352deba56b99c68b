//===- MachineRates.cpp - what the cores can do at best: the rates of a floor -----------------------------------===//
//
//     machine-rates THREADS
//
// Prints one JSON line, summed over threads that run at the same time: elements a second of multiply-add (independent
// chains in registers), of the exponential as adjc's kernels compute it (lib/Target/Math/ExpandExp.cpp, data in
// registers), and of the division; bytes a second, read plus written, of a copy that no cache holds. Each is the best
// of many short intervals, so that other work on the machine disturbs little.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

#ifdef __AVX512F__
constexpr int kWidth = 16;
#else
constexpr int kWidth = 8;
#endif
using Floats [[gnu::vector_size(kWidth * 4)]] = float;
using Ints [[gnu::vector_size(kWidth * 4)]] = std::int32_t;

/// Hides a value from the optimiser.
void keep(Floats &value) { asm volatile("" : "+v"(value)); }

struct MultiplyAdd {
  static Floats apply(Floats x) { return x * 0.999f + 0.5f; }
};

struct Divide {
  static Floats apply(Floats x) { return 1.5f / x; }
};

/// ExpandExp.cpp, instruction by instruction.
struct Exponential {
  static Floats apply(Floats x) {
    constexpr float round = 12582912.0f + 126.0f;
    const Floats highest = Floats{} + 88.8f, lowest = Floats{} - 87.336545f;
    x = x > highest ? highest : x;
    x = x < lowest ? lowest : x;
    const Floats shifted = x * 1.44269504f + round;
    const Floats n = shifted - round;
    Floats r = n * -0.693359375f + x;
    r = n * 2.12194440e-4f + r;
    Floats twice = r * (2 * 1.3814466935e-03f) + 2 * 8.3687804097e-03f;
    twice = twice * r + 2 * 4.1668394213e-02f;
    twice = twice * r + 2 * 1.6666520108e-01f;
    twice = twice * r + 2 * 4.9999993412e-01f;
    twice = twice * r + 2.0f;
    twice = twice * r + 2.0f;
    return twice * reinterpret_cast<Floats>(reinterpret_cast<Ints>(shifted) << 23);
  }
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// The best of many intervals of `work`, which does `amount` of what is counted.
template <typename Work> double bestRate(double amount, double seconds, Work work) {
  double best = 0;
  for (const double end = now() + seconds; now() < end;) {
    const double start = now();
    work();
    best = std::max(best, amount / (now() - start));
  }
  return best;
}

/// `values` by value: in registers throughout.
template <typename Function, typename... Values> double chainsRate(Values... values) {
  constexpr int repeats = 20000;
  return bestRate(double(repeats) * sizeof...(values) * kWidth, 1.0, [=]() mutable {
    for (int i = 0; i < repeats; ++i)
      ((values = Function::apply(values)), ...);
    (keep(values), ...);
  });
}

template <typename Function> double operationRate() {
  const Floats x = Floats{} + 0.1f;
  return chainsRate<Function>(x, x * 2, x * 3, x * 4, x * 5, x * 6, x * 7, x * 8, x * 9, x * 10);
}

/// Rates of all threads, running together, added up.
template <typename Measure> double onAll(unsigned threads, const Measure &measure) {
  std::vector<double> rates(threads);
  std::vector<std::thread> pool;
  std::barrier start(threads);
  for (unsigned i = 0; i < threads; ++i)
    pool.emplace_back([&, i] {
      start.arrive_and_wait();
      rates[i] = measure();
    });
  double sum = 0;
  for (unsigned i = 0; i < threads; ++i) {
    pool[i].join();
    sum += rates[i];
  }
  return sum;
}

double copyRate() {
  constexpr std::size_t bytes = std::size_t(256) << 20, piece = std::size_t(8) << 20;
  std::vector<char> from(bytes, 1), to(bytes, 2);
  std::size_t place = 0;
  return bestRate(2.0 * piece, 2.0, [&] {
    std::memcpy(to.data() + place, from.data() + place, piece);
    place = (place + piece) % bytes;
  });
}

} // namespace

int main(int count, char **arguments) {
  const unsigned threads = count == 2 ? static_cast<unsigned>(std::atoi(arguments[1])) : 0;
  if (!threads) {
    std::fprintf(stderr, "usage: machine-rates THREADS\n");
    return 2;
  }
  std::printf("{\"threads\": %u, \"vector_bits\": %d, \"multiply_add\": %.4g, \"exp\": %.4g, \"divide\": %.4g, "
              "\"copy_bytes\": %.4g}\n",
              threads, kWidth * 32, onAll(threads, operationRate<MultiplyAdd>),
              onAll(threads, operationRate<Exponential>), onAll(threads, operationRate<Divide>),
              onAll(threads, copyRate));
  return 0;
}
