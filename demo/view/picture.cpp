// EGL without a window system: Mesa's surfaceless platform where it exists, else the default
// display with a small pbuffer. MuJoCo draws into a framebuffer object of its own, so no surface of
// ours needs the picture's size.
#include "view/picture.hpp"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <cairo.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace workcell::view {
namespace {

/// A current OpenGL context for as long as it lives.
class gl_context {
 public:
  gl_context() : display_(open_display()) {
    constexpr EGLint wanted[] = {EGL_RENDERABLE_TYPE,
                                 EGL_OPENGL_BIT,
                                 EGL_SURFACE_TYPE,
                                 EGL_PBUFFER_BIT,
                                 EGL_DEPTH_SIZE,
                                 24,
                                 EGL_RED_SIZE,
                                 8,
                                 EGL_GREEN_SIZE,
                                 8,
                                 EGL_BLUE_SIZE,
                                 8,
                                 EGL_NONE};
    constexpr EGLint size[] = {EGL_WIDTH, 16, EGL_HEIGHT, 16, EGL_NONE};
    EGLConfig config = nullptr;
    EGLint count = 0;
    if (eglChooseConfig(display_, wanted, &config, 1, &count) == EGL_FALSE || count == 0) {
      throw cannot_render("EGL has no configuration for OpenGL");
    }
    eglBindAPI(EGL_OPENGL_API);
    const EGLSurface surface = eglCreatePbufferSurface(display_, config, size);
    const EGLContext context = eglCreateContext(display_, config, EGL_NO_CONTEXT, nullptr);
    if (eglMakeCurrent(display_, surface, surface, context) == EGL_FALSE) {
      throw cannot_render("EGL cannot make an OpenGL context current");
    }
  }
  ~gl_context() {
    eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglTerminate(display_);
  }
  gl_context(const gl_context&) = delete;
  gl_context& operator=(const gl_context&) = delete;

 private:
  static EGLDisplay open_display() {
    for (const EGLDisplay display :
         {eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr),
          eglGetDisplay(EGL_DEFAULT_DISPLAY)}) {
      if (display != EGL_NO_DISPLAY && eglInitialize(display, nullptr, nullptr) == EGL_TRUE) {
        return display;
      }
    }
    throw cannot_render("no EGL display can be opened (is libegl1 with Mesa's drivers installed?)");
  }

  EGLDisplay display_;
};

/// MuJoCo's drawing state, in the order in which it must be made and freed.
class renderer {
 public:
  explicit renderer(const mjModel& model) {
    mjv_defaultScene(&scene_);
    mjv_makeScene(&model, &scene_, 1000);
    mjr_defaultContext(&context_);
    mjr_makeContext(&model, &context_, mjFONTSCALE_150);
    mjr_setBuffer(mjFB_OFFSCREEN, &context_);
    if (context_.currentBuffer != mjFB_OFFSCREEN) throw cannot_render("no offscreen framebuffer");
  }
  ~renderer() {
    mjr_freeContext(&context_);
    mjv_freeScene(&scene_);
  }
  renderer(const renderer&) = delete;
  renderer& operator=(const renderer&) = delete;

  /// RGB rows from the bottom up.
  std::vector<unsigned char> draw(const mjModel& model, mjData& data, mjrRect area) {
    mjvOption option;
    mjv_defaultOption(&option);
    mjvCamera camera;
    mjv_defaultCamera(&camera);
    camera.type = mjCAMERA_FIXED;
    camera.fixedcamid = mj_name2id(&model, mjOBJ_CAMERA, "overview");
    mjv_updateScene(&model, &data, &option, nullptr, &camera, mjCAT_ALL, &scene_);
    mjr_render(area, &scene_, &context_);
    std::vector<unsigned char> pixels(static_cast<std::size_t>(area.width) *
                                      static_cast<std::size_t>(area.height) * 3);
    mjr_readPixels(pixels.data(), nullptr, area, &context_);
    return pixels;
  }

 private:
  mjvScene scene_{};
  mjrContext context_{};
};

void write_png(const std::vector<unsigned char>& rgb, int width, int height,
               const std::filesystem::path& file) {
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> image(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), &cairo_surface_destroy);
  unsigned char* const to = cairo_image_surface_get_data(image.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(image.get()));
  const auto columns = static_cast<std::size_t>(width);
  const auto rows = static_cast<std::size_t>(height);
  for (std::size_t row = 0; row < rows; ++row) {
    const unsigned char* from = rgb.data() + (rows - 1 - row) * columns * 3;
    for (std::size_t column = 0; column < columns; ++column, from += 3) {
      const std::uint32_t pixel =
          std::uint32_t{from[0]} << 16 | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]};
      std::memcpy(to + row * stride + column * sizeof(pixel), &pixel, sizeof(pixel));
    }
  }
  cairo_surface_mark_dirty(image.get());
  const cairo_status_t status = cairo_surface_write_to_png(image.get(), file.c_str());
  if (status != CAIRO_STATUS_SUCCESS) {
    throw std::runtime_error("cannot write " + file.string() + ": " +
                             cairo_status_to_string(status));
  }
}

}  // namespace

void draw_picture(const mjModel& model, mjData& data, const std::filesystem::path& file) {
  const gl_context current;
  renderer drawn_by(model);
  const mjrRect area{0, 0, model.vis.global.offwidth, model.vis.global.offheight};
  write_png(drawn_by.draw(model, data, area), area.width, area.height, file);
}

}  // namespace workcell::view
