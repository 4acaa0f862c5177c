;;; eglot.el --- llm-lsp in eglot's completion menu -*- lexical-binding: t -*-

;; eglot has one server for a buffer: this takes the place of the language's own, and shows a menu, no ghost
;; text.  Where you want both, use llm-lsp.el instead.
;; In init.el; name the modes that you want it for.

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '((text-mode markdown-mode) . ("llm-lsp" "server"))))

(setq-default eglot-workspace-configuration
              '(:llm-lsp (:provider "auto" :completion (:trigger "auto" :menu "auto"))))
