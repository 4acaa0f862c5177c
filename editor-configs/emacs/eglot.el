;;; eglot.el --- llm-lsp in eglot's completion menu -*- lexical-binding: t -*-

;; eglot has one server for a buffer: this takes the place of the language's own, and shows a menu, no ghost
;; text.  Where you want both, use llm-lsp.el instead.
;; In init.el; name the modes that you want it for.

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '((text-mode markdown-mode) . ("llm-lsp" "server"))))

;; What stands here wins over config.toml; every key: docs/settings.md.
;; (setq-default eglot-workspace-configuration '(:llm-lsp (:completion (:menu_timeout_ms 300))))
