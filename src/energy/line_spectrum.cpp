#include "line_spectrum.hpp"

#include <cmath>
#include <complex>
#include <map>
#include <numbers>
#include <vector>

#include <unsupported/Eigen/FFT>

namespace thalweg {
namespace {

using Complex = std::complex<double>;
using Line = std::vector<Complex>;

/// exp(i pi numerator/denominator).
Complex turn(Index numerator, Index denominator) {
  return std::polar(1., std::numbers::pi * static_cast<double>(numerator) / static_cast<double>(denominator));
}

Index largest_prime_factor(Index n) {
  Index largest = 1;
  for (Index p = 2; p * p <= n; ++p)
    for (; n % p == 0; n /= p) largest = p;
  return std::max(largest, n);
}

/// Fourier transforms of one length, X_k = sum_j x_j exp(-2 pi i j k/n), O(n log n) for every n: a length with a large
/// prime factor is a convolution with the chirp exp(i pi j^2/n) (Bluestein 1970), taken at the next power of two.
class Fourier {
 public:
  explicit Fourier(Index n) : n_(n), buffer_(static_cast<std::size_t>(n)) {
    // The library takes p^2 operations for a prime factor p: about there both ways cost the same.
    if (largest_prime_factor(n) < 100) return;
    Index m = 1;
    while (m < 2 * n - 1) m *= 2;
    Line response(static_cast<std::size_t>(m));
    for (Index j = 0; j < n; ++j) {
      // j^2 modulo the period 2 n keeps the angle exact.
      chirp_.push_back(turn(-(j * j % (2 * n)), n));
      response[static_cast<std::size_t>(j)] = response[static_cast<std::size_t>((m - j) % m)] =
          std::conj(chirp_.back());
    }
    response_.resize(response.size());
    fft_.fwd(response_.data(), response.data(), m);
  }

  /// `inverse` divides by n.
  void operator()(Line& x, bool inverse) {
    if (inverse)
      for (Complex& c : x) c = std::conj(c);
    if (chirp_.empty())
      plain(x);
    else
      convolve(x);
    if (inverse)
      for (Complex& c : x) c = std::conj(c) / static_cast<double>(n_);
  }

 private:
  void plain(Line& x) {
    if (n_ == 1) return;  // the library has no transform of one point
    fft_.fwd(buffer_.data(), x.data(), n_);
    x.swap(buffer_);
  }

  void convolve(Line& x) {
    const auto m = static_cast<Index>(response_.size());
    padded_.assign(response_.size(), 0);
    buffer_.resize(response_.size());
    for (std::size_t j = 0; j < chirp_.size(); ++j) padded_[j] = x[j] * chirp_[j];
    fft_.fwd(buffer_.data(), padded_.data(), m);
    for (std::size_t k = 0; k < response_.size(); ++k) buffer_[k] *= response_[k];
    fft_.inv(padded_.data(), buffer_.data(), m);
    for (std::size_t j = 0; j < chirp_.size(); ++j) x[j] = padded_[j] * chirp_[j];
  }

  Index n_;
  Eigen::FFT<double> fft_;
  Line chirp_, response_, padded_, buffer_;
};

/// What one length needs, kept for every length met so far, one set a thread; no result depends on it.
struct Plan {
  Fourier fourier;
  Line x, turns;  // turns: exp(-i pi k/(2 n))
  std::vector<double> cosines;

  explicit Plan(Index n) : fourier(n), x(static_cast<std::size_t>(n)), cosines(x.size()) {
    for (Index k = 0; k < n; ++k) turns.push_back(turn(-k, 2 * n));
  }
};

Plan& plan(Index n) {
  thread_local std::map<Index, Plan> plans;
  return plans.try_emplace(n, n).first->second;
}

}  // namespace

/// The DCT-II of x is the real part of a turned Fourier transform of x_0, x_2, x_4, ..., x_5, x_3, x_1 (Makhoul 1980).
void transform_path(const double* factors, Index n, Index stride, double* x) {
  auto& [fourier, v, turns, cosines] = plan(n);
  for (Index i = 0; i < n; ++i) v[static_cast<std::size_t>(i % 2 == 0 ? i / 2 : n - 1 - i / 2)] = x[i * stride];
  fourier(v, false);
  for (std::size_t k = 0; k < v.size(); ++k) cosines[k] = factors[k] * (turns[k] * v[k]).real();
  for (std::size_t k = 0; k < v.size(); ++k)
    v[k] = std::conj(turns[k]) * Complex(cosines[k], k == 0 ? 0 : -cosines[v.size() - k]);
  fourier(v, true);
  for (Index i = 0; i < n; ++i) x[i * stride] = v[static_cast<std::size_t>(i % 2 == 0 ? i / 2 : n - 1 - i / 2)].real();
}

void transform_ring(const double* factors, Index n, double* x) {
  auto& [fourier, v, turns, cosines] = plan(n);
  for (Index i = 0; i < n; ++i) v[static_cast<std::size_t>(i)] = x[i];
  fourier(v, false);
  for (Index k = 0; k < n; ++k) v[static_cast<std::size_t>(k)] *= factors[k];
  fourier(v, true);
  for (Index i = 0; i < n; ++i) x[i] = v[static_cast<std::size_t>(i)].real();
}

}  // namespace thalweg
