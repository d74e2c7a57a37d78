#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "model/kernel.hpp"

namespace thalweg::kernel {
namespace {

using Real = long double;
using Reals = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double least = std::numeric_limits<double>::denorm_min();
constexpr double largest = std::numeric_limits<double>::max();

std::vector<const Kernel*> runnable() {
  std::vector<const Kernel*> kernels{&compiled<2>()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v3")) kernels.push_back(&compiled<4>());
  if (__builtin_cpu_supports("x86-64-v4")) kernels.push_back(&compiled<8>());
#endif
  return kernels;
}

/// A function of the kernel and what it should be: value and two derivatives, in extended precision.
struct Elementary {
  std::string name;
  Function function;
  double low, high;  // where the errors below hold
  double ulps;       // of the value
  double gap;        // of the derivatives, absolute
  Real (*value)(Real), (*slope)(Real), (*curvature)(Real);
};

Real sech2(Real z) { return 1 / (std::cosh(z) * std::cosh(z)); }
Real sigmoid(Real z) { return 1 / (1 + std::exp(-z)); }
Real bell(Real z) { return sigmoid(z) * sigmoid(-z); }
Real mass(Real z) { return std::erfc(-z / std::sqrt(2.L)) / 2; }
Real density(Real z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.L)); }
Real relu(Real z) { return std::max(z, 0.L); }
Real softplus(Real z) { return relu(z) + std::log1p(std::exp(-std::abs(z))); }

// A value is rounded some eight times on its way, a division of sums of three roundings included. Derivatives are at
// most 1.2 and pass as many roundings. The tails of softplus and gelu are tested below.
const std::vector<Elementary>& table() {
  static const std::vector<Elementary> rows{
      {"tanh", Function::tanh, -30, 30, 3, 1e-15, [](Real z) { return std::tanh(z); }, sech2,
       [](Real z) { return -2 * std::tanh(z) * sech2(z); }},
      {"sigmoid", Function::sigmoid, -700, 700, 3, 5e-16, sigmoid, bell,
       [](Real z) { return bell(z) * (sigmoid(-z) - sigmoid(z)); }},
      {"softplus", Function::softplus, -1, 700, 5, 5e-16, softplus, sigmoid, bell},
      {"gelu", Function::gelu, -1, 40, 5, 1e-15, [](Real z) { return z * mass(z); },
       [](Real z) { return mass(z) + z * density(z); }, [](Real z) { return density(z) * (2 - z * z); }},
      {"sin", Function::sin, -1e6, 1e6, 3, 5e-16, [](Real z) { return std::sin(z); },
       [](Real z) { return std::cos(z); }, [](Real z) { return -std::sin(z); }},
      {"relu", Function::relu, -1e300, 1e300, 0, 0, relu, [](Real z) { return Real(z > 0); }, [](Real) { return 0.L; }},
      {"identity", Function::identity, -1e300, 1e300, 0, 0, [](Real z) { return z; }, [](Real) { return 1.L; },
       [](Real) { return 0.L; }}};
  return rows;
}

/// The distance of doubles at x.
double ulp(Real x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::ldexp(1., std::max(exponent, -1021) - 53);
}

double ulps(double x, Real exact) { return static_cast<double>(std::abs(x - exact)) / ulp(exact); }

/// Evenly over [low, high], and as many of each sign over the decades below; a multiple of 8.
Reals samples(double low, double high) {
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> even(low, high), decades(-300, 0), near(-9, 0);
  Reals x;
  for (int i = 0; i < 2048; ++i) {
    x.insert(x.end(), {even(generator), even(generator), even(generator), even(generator)});
    x.insert(x.end(), {high * std::pow(10, near(generator)), low * std::pow(10, near(generator))});
    x.insert(x.end(), {high * std::pow(10, decades(generator)), low * std::pow(10, decades(generator))});
  }
  return x;
}

struct Jets {
  Reals value, slope, curvature;
};

/// Any number of arguments, the last one repeated to fill a vector.
Jets evaluate(const Kernel& kernel, Function function, Reals z) {
  const std::size_t n = z.size();
  z.resize((n + 7) / 8 * 8, z.back());
  Jets j{z, z, z};
  const auto padded = static_cast<Index>(z.size());
  kernel.activate(function, 1, padded, padded, z.data(), j.value.data(), j.slope.data(), j.curvature.data());
  for (Reals* row : {&j.value, &j.slope, &j.curvature}) row->resize(n);
  return j;
}

Reals mapped(void (*function)(Index, const double*, double*), Reals x) {
  const std::size_t n = x.size();
  x.resize((n + 7) / 8 * 8, x.back());
  function(static_cast<Index>(x.size()), x.data(), x.data());
  x.resize(n);
  return x;
}

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

class ElementaryFunctions : public testing::TestWithParam<const Kernel*> {
 protected:
  const Kernel& kernel = *GetParam();

  Jets at(Function function, const Reals& z) const { return evaluate(kernel, function, z); }
};

TEST_P(ElementaryFunctions, HaveTheirValuesAndDerivatives) {
  for (const Elementary& row : table()) {
    const Reals z = samples(row.low, row.high);
    const Jets j = at(row.function, z);
    double value = 0, slope = 0, curvature = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      value = std::max(value, ulps(j.value[i], row.value(z[i])));
      slope = std::max(slope, static_cast<double>(std::abs(j.slope[i] - row.slope(z[i]))));
      curvature = std::max(curvature, static_cast<double>(std::abs(j.curvature[i] - row.curvature(z[i]))));
    }
    EXPECT_LE(value, row.ulps) << row.name;
    EXPECT_LE(slope, row.gap) << row.name;
    EXPECT_LE(curvature, row.gap) << row.name;
  }
}

// n times one piece of ln 2: the rounding of the piece stays, and where the product is not fused half an ulp of |z|.
TEST_P(ElementaryFunctions, KeepTheDigitsOfTheTailOfSoftplus) {
  const Reals z = samples(-700, -1);
  const Jets j = at(Function::softplus, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    ASSERT_LE(std::abs(j.value[i] / softplus(z[i]) - 1), 1e-15 - 1.5e-16 * z[i]) << z[i];
    ASSERT_LE(std::abs(j.slope[i] / sigmoid(z[i]) - 1), 1e-15 - 1.5e-16 * z[i]) << z[i];
    ASSERT_LE(std::abs(j.curvature[i] - bell(z[i])), 5e-16) << z[i];
  }
}

// The fit of Mills's ratio leaves Phi right to the last bit; of gelu itself fewer digits stay the further it falls.
TEST_P(ElementaryFunctions, KeepTheDigitsOfTheTailOfGelu) {
  const auto& gelu = table()[3];
  const Reals z = samples(-37, -1);
  const Jets j = at(Function::gelu, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const Real value = gelu.value(z[i]);
    ASSERT_LE(std::abs(j.value[i] / value - 1), z[i] > -3 ? 5e-15 : z[i] > -12 ? 2e-11 : 5e-8) << z[i];
    ASSERT_LE(std::abs(j.value[i] - value), 1e-15) << z[i];
    ASSERT_LE(std::abs(j.slope[i] - gelu.slope(z[i])), 1e-15) << z[i];
    ASSERT_LE(std::abs(j.curvature[i] - gelu.curvature(z[i])), 1e-15) << z[i];
  }
}

TEST_P(ElementaryFunctions, ExponentiateAndTakeLogarithms) {
  const Reals x = samples(-708, 709), e = mapped(kernel.exp, x), y = samples(0, 1), l = mapped(kernel.log1p, y);
  double exponential = 0, logarithm = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    exponential = std::max(exponential, ulps(e[i], std::exp(Real(x[i]))));
    logarithm = std::max(logarithm, ulps(l[i], std::log1p(Real(y[i]))));
  }
  EXPECT_LE(exponential, 3);
  EXPECT_LE(logarithm, 3);
}

TEST_P(ElementaryFunctions, ExponentiateWhatIsNotOrdinary) {
  const Reals e = mapped(kernel.exp, {0, -0., least, infinity, largest, 710, -709, -largest, -infinity, NAN});
  const Reals exact{1, 1, 1, infinity, infinity, infinity, 0, 0, 0};
  EXPECT_EQ(Reals(e.begin(), e.end() - 1), exact);
  EXPECT_TRUE(std::isnan(e.back()));
  const Reals l = mapped(kernel.log1p, {0, least, NAN});
  EXPECT_EQ(l[0], 0);
  EXPECT_EQ(l[1], least);
  EXPECT_TRUE(std::isnan(l[2]));
}

TEST_P(ElementaryFunctions, MakeTanhOddToTheLastBit) {
  const Reals z = samples(0, 30);
  Reals opposite = z;
  for (double& x : opposite) x = -x;
  const Jets j = at(Function::tanh, z), k = at(Function::tanh, opposite);
  for (std::size_t i = 0; i < z.size(); ++i) {
    ASSERT_EQ(bits(j.value[i]), bits(-k.value[i])) << z[i];
    ASSERT_EQ(bits(j.slope[i]), bits(k.slope[i])) << z[i];
    ASSERT_EQ(bits(j.curvature[i]), bits(-k.curvature[i])) << z[i];
  }
}

// Before it is 1 to the last bit, beyond 19.06, neighbours differ by less than the rounding errors.
TEST_P(ElementaryFunctions, LetTanhSaturate) {
  Reals z(1 << 15);
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = 14 + 8. * static_cast<double>(i) / static_cast<double>(z.size());
  const Reals t = at(Function::tanh, z).value;
  for (std::size_t i = 1; i < z.size(); ++i) {
    ASSERT_LE(t[i], 1) << z[i];
    ASSERT_GE(t[i], t[i - 1] - 0x1p-52) << z[i];
    ASSERT_TRUE(t[i] == 1 || z[i] < 19.1) << z[i];
  }
}

TEST_P(ElementaryFunctions, KnowTheEndsOfTanh) {
  const Reals z{0., -0., least, -least, 0x1p-1022, -0x1p-1030, 20, largest, -largest, infinity, -infinity};
  const Reals exact{0., -0., least, -least, 0x1p-1022, -0x1p-1030, 1, 1, -1, 1, -1};
  const Reals t = at(Function::tanh, z).value;
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_EQ(bits(t[i]), bits(exact[i])) << z[i];
}

TEST_P(ElementaryFunctions, HaveLimitsAtInfinity) {
  const Reals z{-infinity, -largest, largest, infinity};
  for (const Function function : {Function::gelu, Function::softplus, Function::relu}) {
    const Jets j = at(function, z);
    EXPECT_EQ(j.value, (Reals{0, 0, largest, infinity}));
    EXPECT_EQ(j.slope, (Reals{0, 0, 1, 1}));
    EXPECT_EQ(j.curvature, (Reals{0, 0, 0, 0}));
  }
  const Jets j = at(Function::sigmoid, z);
  EXPECT_EQ(j.value, (Reals{0, 0, 1, 1}));
  for (const double slope : j.slope) EXPECT_LE(slope, 1e-300);
}

TEST_P(ElementaryFunctions, PassOnWhatIsNotANumber) {
  for (const Elementary& row : table()) {
    const Jets j = at(row.function, {1, NAN, 2});
    EXPECT_TRUE(std::isnan(j.value[1])) << row.name;
    EXPECT_FALSE(std::isnan(j.value[0]) || std::isnan(j.value[2])) << row.name;
  }
}

// One argument out of reach leaves the others as they are.
TEST_P(ElementaryFunctions, TakeTheSineOfLargeNumbers) {
  const Reals z{1, -1e7, 2, 1e22, 3, largest, 4, 5};
  Reals close = z;
  for (double& x : close)
    if (std::abs(x) > 1e6) x = 0;
  const Jets j = at(Function::sin, z), k = at(Function::sin, close);
  for (std::size_t i = 0; i < z.size(); ++i) {
    EXPECT_EQ(j.value[i], close[i] == z[i] ? k.value[i] : std::sin(z[i]));
    EXPECT_EQ(j.slope[i], close[i] == z[i] ? k.slope[i] : std::cos(z[i]));
    EXPECT_EQ(j.curvature[i], -j.value[i]);
  }
}

TEST_P(ElementaryFunctions, MayOverwriteTheirArgumentsAndLeaveOutDerivatives) {
  for (const Elementary& row : table())
    for (const double high : {10., 1e7}) {
      Reals z = samples(-10, high);
      const Reals expected = at(row.function, z).value;
      const auto half = static_cast<Index>(z.size() / 2);
      kernel.activate(row.function, 2, half, half, z.data(), z.data(), nullptr, nullptr);
      EXPECT_EQ(z, expected) << row.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Lanes, ElementaryFunctions, testing::ValuesIn(runnable()),
                         [](const auto& row) { return std::to_string(row.param->lanes); });

/// The same range in single precision: nothing below its normal numbers, no e^z beyond them, and the sine's own reach.
Reals single_samples(const Elementary& row) {
  Reals z = samples(std::max(row.low, -80.), std::min(row.high, 80.));
  for (double& x : z) x = static_cast<float>(std::abs(x) < 1e-30 ? 0 : x);
  return z;
}

// As many roundings as in double precision, each 2^29 times as large, and a fit to 5e-9; the sine is true to the
// rounding of its argument's remainder, which counts where it is near zero.
TEST_P(ElementaryFunctions, HaveTheirValuesAndDerivativesInSinglePrecision) {
  constexpr double larger = 0x1p29;
  for (const Elementary& row : table()) {
    const Reals z = single_samples(row);
    const std::vector<float> in(z.begin(), z.end());
    std::vector<float> f(in), f1(in), f2(in);
    const auto n = static_cast<Index>(in.size());
    kernel.single.activate(row.function, 1, n, n, in.data(), f.data(), f1.data(), f2.data());
    double value = 0, slope = 0, curvature = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      value = std::max(value, ulps(f[i], row.value(z[i])) / larger);
      slope = std::max(slope, static_cast<double>(std::abs(f1[i] - row.slope(z[i]))) / larger);
      curvature = std::max(curvature, static_cast<double>(std::abs(f2[i] - row.curvature(z[i]))) / larger);
    }
    EXPECT_LE(value, row.ulps) << row.name;
    EXPECT_LE(slope, row.gap) << row.name;
    EXPECT_LE(curvature, row.gap) << row.name;
  }
}

TEST_P(ElementaryFunctions, KnowTheEndsInSinglePrecision) {
  constexpr float infinite = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
  std::vector<float> z(16, NAN);
  const std::vector<float> ends{-infinite, -most, -200, 200, most, infinite};
  std::copy(ends.begin(), ends.end(), z.begin());
  for (const Elementary& row : table()) {
    if (row.function == Function::sin || row.function == Function::identity || row.function == Function::relu) continue;
    std::vector<float> f(16);
    kernel.single.activate(row.function, 1, 16, 16, z.data(), f.data(), nullptr, nullptr);
    const bool bounded = row.function == Function::tanh || row.function == Function::sigmoid;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const float low = row.function == Function::tanh ? -1 : 0, exact = ends[i] < 0 ? low : bounded ? 1 : ends[i];
      EXPECT_TRUE(f[i] == exact || (exact == 0 && std::abs(f[i]) < 1e-37f)) << row.name << ' ' << ends[i];
    }
    EXPECT_TRUE(std::isnan(f[15])) << row.name;
  }
}

// With and without fused operations: a few roundings apart.
TEST(Kernels, AgreeOnElementaryFunctions) {
  for (const Elementary& row : table()) {
    const Reals z = samples(std::max(row.low, -37.), row.high);
    const Jets first = evaluate(*runnable().front(), row.function, z);
    for (const Kernel* kernel : runnable()) {
      const Jets j = evaluate(*kernel, row.function, z);
      for (std::size_t i = 0; i < z.size(); ++i) {
        ASSERT_LE(std::abs(j.value[i] - first.value[i]), 1e-15 * std::abs(first.value[i])) << row.name << ' ' << z[i];
        ASSERT_NEAR(j.slope[i], first.slope[i], 1e-15) << row.name << ' ' << z[i];
        ASSERT_NEAR(j.curvature[i], first.curvature[i], 1e-15) << row.name << ' ' << z[i];
      }
    }
  }
}

}  // namespace
}  // namespace thalweg::kernel
